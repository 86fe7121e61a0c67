// Whatever the log does at its worst (late fetches, aborted commits, doubt, fencing, the process dying before
// or after a commit), what is committed in the end is what an undisturbed run commits: nothing lost, nothing
// twice, the same state and the same weights to the bit.
#include <map>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

constexpr uint64_t kSeeds = 500;
constexpr uint64_t kInputs = 5;  // different ones; seeds share them, so that each is run undisturbed once
constexpr int kLivesAtMost = 400;

struct Case {
  std::string_view yaml;
  SmallRows rows;
};

Case CaseOf(uint64_t seed) {
  Case one;
  one.rows.seed = 1 + seed % kInputs;
  one.rows.events = 120;
  one.rows.event_partitions = 1 + static_cast<int32_t>(one.rows.seed % 3);
  one.rows.click_partitions = 1 + static_cast<int32_t>(one.rows.seed % 2);
  one.rows.bad_one_in = 15;
  one.yaml = one.rows.seed % 2 == 0 ? SmallJob() : one.rows.seed == 5 ? CorrectingJob() : JoiningJob();
  return one;
}

JobResult Undisturbed(const Case& one) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  JobFixture job(std::string(one.yaml), Operators(), *log, broker.clock());
  job.Fill(MakeRows(one.rows));
  const JobOutcome outcome = job.Run();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  return job.Read();
}

// What befell a run.
struct Fate {
  int crashes = 0;
  int commits = 0;
};

// Runs until the end, from life to life; each commit may be the last deed of one.
JobResult Disturbed(const Case& one, uint64_t seed, Fate& fate) {
  Random random(seed);
  SimulatedBroker broker(seed);
  {
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    for (const JobInput& input : MakeRows(one.rows))
      CreateAndFill(*log, input);
  }
  broker.set_faults({0.2, 0.1, 0.05, 0.03});
  const double crash = random.Chance(0.5) ? 0.05 : 0;
  broker.set_at_commit([&](bool before) {
    fate.commits += before ? 1 : 0;
    if (!random.Chance(crash)) return;
    ++fate.crashes;
    broker.Crash();
  });
  const TempDir dir;
  JobOptions options;
  options.most_rows = random.Chance(0.5) ? 4096 : 1 + random.Below(10);
  const bool stored = random.Chance(0.1);
  constexpr int kShards[] = {1, 3, 8};
  options.set = {"shards=" + std::to_string(stored ? 1 : kShards[random.Below(3)])};
  if (stored) options.state_directory = dir.File("state");
  const double commit = 0.02 + random.Uniform() * 0.2;
  options.commit_now = [&](uint64_t) { return random.Chance(commit); };
  for (int life = 0; life < kLivesAtMost; ++life) {
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    JobFixture job(std::string(one.yaml), Operators(), *log, broker.clock());
    const int crashes = fate.crashes;
    const JobOutcome outcome = job.Run(options);
    if (outcome.status.ok()) break;
    EXPECT_GT(fate.crashes, crashes) << outcome.status.message();
    if (fate.crashes == crashes) break;
  }
  broker.set_faults({});
  broker.set_at_commit(nullptr);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  return JobFixture(std::string(one.yaml), Operators(), *log, broker.clock()).Read(options.set);
}

class Faults : public testing::TestWithParam<uint64_t> {};

TEST_P(Faults, LeaveNoTrace) {
  std::map<uint64_t, JobResult> undisturbed;
  Fate total;
  for (uint64_t seed = GetParam(); seed < GetParam() + kSeeds / 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case one = CaseOf(seed);
    auto expected = undisturbed.find(one.rows.seed);
    if (expected == undisturbed.end()) expected = undisturbed.emplace(one.rows.seed, Undisturbed(one)).first;
    ASSERT_FALSE(expected->second.dead_letters.empty());
    Fate fate;
    const JobResult found = Disturbed(one, seed, fate);
    ASSERT_EQ(Difference(expected->second, found), "");
    total.crashes += fate.crashes;
    total.commits += fate.commits;
  }
  EXPECT_GT(total.crashes, 5);
  EXPECT_GT(total.commits, 200);
}

std::vector<uint64_t> FirstSeeds() {
  std::vector<uint64_t> first;
  for (uint64_t seed = 1; seed <= kSeeds; seed += kSeeds / 10)
    first.push_back(seed);
  return first;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Faults, testing::ValuesIn(FirstSeeds()));

}  // namespace
}  // namespace freshet
