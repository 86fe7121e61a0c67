// How a lane opens: what it asks the log for, and what becomes of topics that change meanwhile and later.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

// A log whose topic `events` can get another partition; counts what is asked.
class WatchedLog final : public Log {
 public:
  explicit WatchedLog(Log& log) : log_(log) {}
  std::string Describe() const override { return log_.Describe(); }
  Result<std::vector<std::string>> Topics() override { return log_.Topics(); }
  Result<std::optional<TopicInfo>> Find(std::string_view topic) override {
    ++finds[std::string(topic)];
    Result<std::optional<TopicInfo>> found = log_.Find(topic);
    if (grown && topic == "events" && found.ok() && *found) ++(*found)->partitions;
    return found;
  }
  Status Create(std::string_view topic, const TopicSettings& settings) override {
    return log_.Create(topic, settings);
  }
  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) override {
    grown = grown || (grows_while_opening && id.topic.find(".changelog.") != std::string::npos);
    return log_.Range(id, isolation);
  }
  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    return log_.OpenConsumer(options);
  }
  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    return log_.OpenProducer(options);
  }

  bool grows_while_opening = false;
  bool grown = false;
  std::map<std::string, int> finds;

 private:
  Log& log_;
};

struct Scene {
  Scene() { CreateAndFill(*log, {"events", 1, {CountingRow("a")}}); }
  SimulatedBroker broker{1};
  std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  WatchedLog watched{*log};
  JobFixture job{std::string(CountingJob()), Operators(), watched, broker.clock()};
};

// A restore may take minutes.
TEST(Opening, KeepsToThePartitionsItBeganWith) {
  Scene scene;
  scene.watched.grows_while_opening = true;
  const JobOutcome outcome = scene.job.Run();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_TRUE(scene.watched.grown);
  EXPECT_EQ(scene.job.Read().sinks["out"].size(), 1U);
}

TEST(Opening, AsksForAChangelogOnceAndNotForEachShard) {
  Scene scene;
  JobOptions options;
  options.set = {"shards=8"};
  const JobOutcome outcome = scene.job.Run(options);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  // Before anything runs, whether it is there; and for its limits.
  EXPECT_LE(scene.watched.finds["counting.changelog.counts"], 2);
}

TEST(Running, WarnsOnceOfPartitionsThatItDoesNotRead) {
  Scene scene;
  StopSignal stop;
  JobOptions options;
  options.until_end = false;
  options.stop = &stop;
  const Time begin = scene.broker.clock().Now();
  options.progress = [&](const LaneProgress& progress) {
    if (progress.commits > 0) scene.watched.grown = true;
    if (scene.broker.clock().Now() - begin > kHour) stop.Request();
  };
  testing::internal::CaptureStderr();
  const JobOutcome outcome = scene.job.Run(options);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  const std::string warning = "topic `events` of source `events` has 2 partitions by now, 1 before";
  const size_t at = said.find(warning);
  ASSERT_NE(at, std::string::npos) << said;
  EXPECT_EQ(said.find(warning, at + 1), std::string::npos) << said;
  EXPECT_NE(said.find("start the job again", at), std::string::npos) << said;
  EXPECT_GT(scene.watched.finds["events"], 5);
}

}  // namespace
}  // namespace freshet
