// However often the program is killed, on either log, it commits what an undisturbed run commits.
#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include <gtest/gtest.h>

#include "tests/fault/killing.h"
#include "tests/harness/kafka_broker.h"

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

TEST(Kills, OnKafkaChangeNothing) {
  const FlightRows rows;
  const TempDir dir;
  const FlightsOutcome expected = UndisturbedFlights(rows, dir.File("undisturbed"));
  Result<std::unique_ptr<KafkaBroker>> broker = KafkaBroker::Create();
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  const std::vector<std::string> flags = {"--brokers", (*broker)->bootstrap()};
  Produce(rows, flags);
  std::printf("seed %" PRIu64 "\n", kSeed);
  Random random(kSeed);
  std::vector<Duration> restarts;
  int64_t between = 0;
  for (int month = 0; month < kMonths && !HasFailure(); ++month) {
    const std::string suffix = "." + std::to_string(month);
    CreateSinks((*broker)->bootstrap(), suffix);
    FlightsRun run(flags, dir.File("state" + suffix), suffix);
    const std::vector<Kill> kills = KillAgainAndAgain(run, rows.total(), kKillsAMonth, random);
    between += Between(kills);
    for (const Kill& kill : kills) {
      if (kill.restart > 0) restarts.push_back(kill.restart);
    }
    const FlightsOutcome found = ReadKafka(run, (*broker)->bootstrap());
    EXPECT_EQ(Difference(expected, found), "") << run.Printed() << (*broker)->Log();
    ExpectEachFlightOnce(found, rows);
  }
  EXPECT_GE(between, kBetweenAtLeast);
  // A start of the same name takes the place of the killed one instead of waiting for its session to end.
  ASSERT_FALSE(restarts.empty());
  std::sort(restarts.begin(), restarts.end());
  EXPECT_LT(restarts[restarts.size() / 2], kSessionTimeout);
}

}  // namespace
}  // namespace freshet
