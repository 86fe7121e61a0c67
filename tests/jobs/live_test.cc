// A job that runs on, without an end: silent partitions stop counting by the clock, timers fire, a stop
// commits.
#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

constexpr std::string_view kJoin = R"yaml(job: live
sources:
  events:
    event_time: {field: t, idle_after: 10s}
    fields: {id: string, t: timestamp}
  clicks:
    event_time: {field: t, idle_after: 10s}
    fields: {id: string, t: timestamp, good: bool}
operators:
  labelled: {type: label_join, from: events, labels: clicks, key: id, label: good, wait: 1m, on_timeout: side}
sinks:
  labelled: {from: labelled, key: id}
  late: {from: labelled.timed_out, key: id}
)yaml";

JobRecord Event(const std::string& id, int second, int32_t partition) {
  JobRecord record;
  record.partition = partition;
  record.timestamp = SimulatedBroker::kStart;
  record.value = R"({"id": ")" + id + R"(", "t": ")" +
                 FormatTimestamp(SimulatedBroker::kStart + second * kSecond) + R"(", "good": true})";
  return record;
}

struct Scene {
  Scene() : log(OpenSimulatedLog(broker)), job(std::string(kJoin), Operators(), *log, broker.clock()) {}

  // Runs until `done`, asked after each commit and while waiting, says so.
  void RunUntil(const std::function<bool(const LaneProgress&)>& done) {
    StopSignal stop;
    JobOptions options;
    options.until_end = false;
    options.stop = &stop;
    options.progress = [&](const LaneProgress& progress) {
      ASSERT_LT(broker.clock().Now(), SimulatedBroker::kStart + 2 * kDay) << "nothing comes any more";
      if (done(progress)) stop.Request();
    };
    const JobOutcome outcome = job.Run(options);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  }

  SimulatedBroker broker{1};
  std::unique_ptr<Log> log;
  JobFixture job;
};

TEST(Live, ASilentPartitionStopsCountingAfterItsTime) {
  Scene scene;
  CreateAndFill(*scene.log, {"events", 2, {Event("a", 0, 0), Event("b", 100, 0)}});
  CreateAndFill(*scene.log, {"clicks", 1, {}});
  const Time start = scene.broker.clock().Now();
  scene.RunUntil([&](const LaneProgress& progress) { return progress.commits >= 2; });
  EXPECT_GE(scene.broker.clock().Now(), start + 10 * kSecond);
  EXPECT_LT(scene.broker.clock().Now(), start + 20 * kSecond);
  JobResult result = scene.job.Read();
  ASSERT_EQ(result.sinks.at("late").size(), 1U);  // b's wait ends at 160 s
  EXPECT_EQ(result.sinks.at("late")[0].key, "a");

  // The next life knows who was idle, and one who speaks again counts again.
  Append(*scene.log, "events", std::vector<JobRecord>{Event("c", 30, 1), Event("d", 500, 0)});
  scene.RunUntil([&](const LaneProgress& progress) { return progress.rows >= 2; });
  result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("late").size(), 2U) << "c came when its wait was over; b and d still wait";
}

TEST(Live, AStopCommitsWhatIsOpen) {
  Scene scene;
  CreateAndFill(*scene.log, {"events", 1, {Event("a", 0, 0)}});
  CreateAndFill(*scene.log, {"clicks", 1, {Event("a", 1, 0)}});
  StopSignal stop;
  JobOptions options;
  options.until_end = false;
  options.stop = &stop;
  options.commit_now = [&](uint64_t rows) {
    if (rows == 2) stop.Request();
    return false;
  };
  const JobOutcome outcome = scene.job.Run(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(outcome.report.commits, 1U);
  EXPECT_EQ(scene.job.Read().sinks.at("labelled").size(), 1U);
}

// Else the group's positions would be forgotten, and a job without state begin from the beginning.
TEST(Live, PositionsAreCommittedEachDayEvenIfNothingComes) {
  Scene scene;
  CreateAndFill(*scene.log, {"events", 1, {Event("a", 0, 0)}});
  CreateAndFill(*scene.log, {"clicks", 1, {}});
  const Time start = scene.broker.clock().Now();
  Time first = 0;
  Time second = 0;
  scene.RunUntil([&](const LaneProgress& progress) {
    if (progress.commits == 0) return false;
    if (first == 0) first = scene.broker.clock().Now();
    scene.broker.Advance(kHour);
    if (progress.commits == 1) second = scene.broker.clock().Now();
    return progress.commits > 1;
  });
  EXPECT_LT(first, start + kMinute);
  EXPECT_GE(second, first + kDay);
}

// Whoever is second stands by until the first has left.
TEST(Live, ASecondProcessStandsBy) {
  Scene scene;
  CreateAndFill(*scene.log, {"events", 1, {Event("a", 0, 0)}});
  CreateAndFill(*scene.log, {"clicks", 1, {Event("a", 1, 0)}});
  bool stood_by = false;
  scene.RunUntil([&](const LaneProgress& first) {
    if (first.commits == 0 || stood_by) return stood_by;
    StopSignal stop;
    JobOptions options;
    options.instance = "second";
    options.stop = &stop;
    options.progress = [&](const LaneProgress& progress) {
      stood_by = progress.standing_by;
      stop.Request();
    };
    const std::unique_ptr<Log> log = OpenSimulatedLog(scene.broker);
    JobFixture second(std::string(kJoin), Operators(), *log, scene.broker.clock());
    const JobOutcome outcome = second.Run(options);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    EXPECT_EQ(outcome.report.commits, 0U);
    return true;
  });
  EXPECT_TRUE(stood_by);
}

}  // namespace
}  // namespace freshet
