// However often the program is killed, on either log, it commits what an undisturbed run commits.
#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include <gtest/gtest.h>

#include "tests/fault/broker_month.h"
#include "tests/fault/killing.h"

namespace freshet {
namespace {

constexpr uint64_t kSeed = 20130201;
constexpr int kMonths = 4;  // runs over the month
constexpr int kKillsAMonth = 5;
constexpr int64_t kBetweenAtLeast = 15;
constexpr Duration kSessionTimeout = 10 * kSecond;

int64_t Between(const std::vector<Kill>& kills) {
  return std::count_if(kills.begin(), kills.end(), [](const Kill& kill) { return kill.between; });
}

TEST(Kills, OnTheEmbeddedLogChangeNothing) {
  const FlightRows rows;
  const TempDir dir;
  const FlightsOutcome expected = UndisturbedFlights(rows, dir.File("undisturbed"));
  std::printf("seed %" PRIu64 "\n", kSeed);
  Random random(kSeed);
  int64_t between = 0;
  for (int month = 0; month < kMonths && !HasFailure(); ++month) {
    const std::string directory = dir.File(std::to_string(month));
    Produce(rows, {"--local", directory});
    FlightsRun run({"--local", directory}, directory + "/state");
    between += Between(KillAgainAndAgain(run, rows.total(), kKillsAMonth, random));
    const FlightsOutcome found = ReadLocal(run, directory);
    EXPECT_EQ(Difference(expected, found), "") << run.Printed();
    ExpectEachFlightOnce(found, rows);
  }
  EXPECT_GE(between, kBetweenAtLeast);
}

class KillsOnABroker : public BrokerMonth {};

TEST_F(KillsOnABroker, ChangeNothing) {
  std::printf("seed %" PRIu64 "\n", kSeed);
  Random random(kSeed);
  std::vector<Duration> restarts;
  int64_t between = 0;
  for (int month = 0; month < kMonths && !HasFailure(); ++month) {
    const std::string suffix = "." + std::to_string(month);
    CreateSinks(bootstrap(), suffix);
    FlightsRun run(flags, dir.File("state" + suffix), suffix);
    const std::vector<Kill> kills = KillAgainAndAgain(run, rows.total(), kKillsAMonth, random);
    between += Between(kills);
    for (const Kill& kill : kills) {
      if (kill.restart > 0) restarts.push_back(kill.restart);
    }
    ExpectNothingChanged(run);
  }
  EXPECT_GE(between, kBetweenAtLeast);
  // A start of the same name takes the place of the killed one instead of waiting for its session to end.
  ASSERT_FALSE(restarts.empty());
  std::sort(restarts.begin(), restarts.end());
  EXPECT_LT(restarts[restarts.size() / 2], kSessionTimeout);
}

}  // namespace
}  // namespace freshet
