// Stores that a run finds in its state directory: taken up where they fit the changelog, rebuilt where they
// do not.
#include <filesystem>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

// The rows come in two halves, and a run takes each; what happens between them is up to the test.
struct Halves {
  Halves() {
    for (JobInput& input : inputs) {
      std::vector<JobRecord> first(input.records.begin(), input.records.begin() + Half(input));
      CreateAndFill(*log, {input.topic, input.partitions, std::move(first)});
    }
  }
  static ptrdiff_t Half(const JobInput& input) { return static_cast<ptrdiff_t>(input.records.size() / 2); }
  void AppendSecond() {
    for (const JobInput& input : inputs)
      Append(*log, input.topic, std::span(input.records).subspan(static_cast<size_t>(Half(input))));
  }
  // What the run printed.
  std::string Run(const std::string& state, uint64_t lineage = 1) {
    JobFixture job(std::string(JoiningJob()), Operators(), *log, broker.clock());
    JobOptions options;
    options.state_directory = state;
    options.draw_lineage = [lineage] { return lineage; };
    options.set = settings;
    options.commit_now = [&](uint64_t rows) {
      broker.Advance(kSecond / 10);  // commits are some seconds apart, so that stores are written
      return rows >= 50;
    };
    testing::internal::CaptureStderr();
    const JobOutcome outcome = job.Run(options);
    const std::string printed = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    return printed;
  }
  JobResult Read() {
    return JobFixture(std::string(JoiningJob()), Operators(), *log, broker.clock()).Read(settings);
  }

  SimulatedBroker broker{1};
  std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  std::vector<JobInput> inputs = MakeRows({});
  std::vector<std::string> settings = {"shards=1"};
  TempDir dir;
};

JobResult WithoutStores() {
  Halves halves;
  halves.Run("");
  halves.AppendSecond();
  halves.Run("");
  return halves.Read();
}

TEST(Stores, OneOfYesterdayIsTakenUp) {
  Halves halves;
  halves.Run(halves.dir.File("state"));
  halves.broker.Advance(11 * kHour);
  halves.AppendSecond();
  EXPECT_EQ(halves.Run(halves.dir.File("state")).find("rebuilt"), std::string::npos);
  EXPECT_EQ(Difference(WithoutStores(), halves.Read()), "");
}

// Its changelog may have forgotten what was deleted since.
TEST(Stores, OneThatIsTooOldIsRebuilt) {
  Halves halves;
  halves.Run(halves.dir.File("state"));
  halves.broker.Advance(13 * kHour);
  halves.AppendSecond();
  const std::string printed = halves.Run(halves.dir.File("state"));
  EXPECT_NE(printed.find("is 13h old"), std::string::npos) << printed;
  EXPECT_NE(printed.find("it is rebuilt from the changelog"), std::string::npos) << printed;
  EXPECT_EQ(Difference(WithoutStores(), halves.Read()), "");
}

// The same job ran elsewhere, on a log of its own, for longer.
TEST(Stores, OneOfAnotherLogIsRebuilt) {
  Halves other;
  const std::string state = other.dir.File("state");
  other.Run(state);
  other.AppendSecond();
  other.Run(state);
  Halves halves;
  halves.Run("");
  halves.AppendSecond();
  const std::string printed = halves.Run(state);
  EXPECT_NE(printed.find("belongs to another one"), std::string::npos) << printed;
  EXPECT_EQ(Difference(WithoutStores(), halves.Read()), "");
}

// The same job ran elsewhere, on other rows.
TEST(Stores, OneOfAnotherLogThatLooksTheSameIsRebuilt) {
  Halves other;
  SmallRows rows;
  rows.seed = 99;
  other.inputs = MakeRows(rows);
  const std::string state = other.dir.File("state");
  other.Run(state, 2);
  Halves halves;
  halves.Run("", 1);
  halves.AppendSecond();
  const std::string printed = halves.Run(state, 1);
  EXPECT_NE(printed.find("is not of the changelog"), std::string::npos) << printed;
  EXPECT_NE(printed.find("rebuilt from the changelog"), std::string::npos) << printed;
  EXPECT_EQ(Difference(WithoutStores(), halves.Read()), "");
  // And is one of this log from there on.
  EXPECT_EQ(halves.Run(state, 1).find("rebuilt"), std::string::npos);
}

// Goes on whenever it is looked at, so that commits are seconds apart and stores are written.
class HurryingClock final : public Clock {
 public:
  Time Now() const override { return SystemClock().Now(); }
  Duration Steady() const override { return steady_ += kSecond / 5; }

 private:
  mutable Duration steady_ = 0;
};

// As users do it: two logs on disk, names of changelogs drawn by chance. The second has more commits and a
// longer changelog, so nothing but its name tells it from a later state of the first.
TEST(Stores, OneOfAnotherLogOnDiskIsRebuilt) {
  const TempDir a, b, c;
  const HurryingClock clock;
  const std::string of_a = a.File("state");
  const auto run = [&](const TempDir& dir, const std::string& id, int rows, const std::string& state) {
    const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
    JobFixture job(std::string(CountingJob()), Operators(), *log, clock);
    const std::vector<JobRecord> records(static_cast<size_t>(rows), CountingRow(id));
    if (log->Find("events")->has_value()) {
      Append(*log, "events", records);
    } else {
      CreateAndFill(*log, {"events", 1, records});
    }
    JobOptions options;
    options.set = {"shards=1"};
    options.state_directory = state;
    options.draw_lineage = nullptr;
    options.most_rows = 1;
    options.commit_now = [](uint64_t in_epoch) { return in_epoch > 0; };
    testing::internal::CaptureStderr();
    const JobOutcome outcome = job.Run(options);
    const std::string printed = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    return std::pair(printed, job.Read(options.set));
  };
  run(a, "x", 50, of_a);
  run(b, "y", 200, "");
  run(c, "y", 200, "");
  const auto [printed, found] = run(b, "x", 1, of_a);
  const auto [nothing, expected] = run(c, "x", 1, "");
  EXPECT_NE(printed.find("rebuilt from the changelog"), std::string::npos) << printed;
  EXPECT_EQ(Difference(expected, found), "");
}

// What the commits of a run cost.
TEST(Stores, TheReportSaysWhatWentThere) {
  const TempDir dir;
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  JobFixture job(std::string(CountingJob()), Operators(), *log, broker.clock());
  job.Fill(std::vector<JobInput>{{"events", 1, {CountingRow("a"), CountingRow("b")}}});
  JobOptions options;
  options.state_directory = dir.File("state");
  options.commit_now = [&](uint64_t) {
    broker.Advance(kMinute);  // long enough for stores to be written
    return true;
  };
  const JobOutcome outcome = job.Run(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_GT(outcome.report.commits, 0U);
  EXPECT_EQ(outcome.report.commits_took.count(), outcome.report.commits);
  EXPECT_GT(outcome.Count("changelog_bytes{stage=\"counts\"}"), 0U);
  EXPECT_GT(outcome.Count("store_bytes{stage=\"counts\"}"), 0U);
}

}  // namespace
}  // namespace freshet
