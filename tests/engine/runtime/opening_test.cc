// What changes while a lane opens: a restore may take minutes.
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

// A log whose topic `events` gets another partition once a changelog is looked at.
class GrowingLog final : public Log {
 public:
  explicit GrowingLog(Log& log) : log_(log) {}
  std::string Describe() const override { return log_.Describe(); }
  Result<std::vector<std::string>> Topics() override { return log_.Topics(); }
  Result<std::optional<TopicInfo>> Find(std::string_view topic) override {
    Result<std::optional<TopicInfo>> found = log_.Find(topic);
    if (grown_ && topic == "events" && found.ok() && *found) ++(*found)->partitions;
    return found;
  }
  Status Create(std::string_view topic, const TopicSettings& settings) override {
    return log_.Create(topic, settings);
  }
  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) override {
    grown_ = grown_ || id.topic.find(".changelog.") != std::string::npos;
    return log_.Range(id, isolation);
  }
  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    return log_.OpenConsumer(options);
  }
  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    return log_.OpenProducer(options);
  }
  bool grown() const { return grown_; }

 private:
  Log& log_;
  bool grown_ = false;
};

TEST(Opening, KeepsToThePartitionsItBeganWith) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  CreateAndFill(*log, {"events", 1, {CountingRow("a")}});
  GrowingLog growing(*log);
  JobFixture job(std::string(CountingJob()), Operators(), growing, broker.clock());
  const JobOutcome outcome = job.Run();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_TRUE(growing.grown());
  EXPECT_EQ(job.Read().sinks["out"].size(), 1U);
}

}  // namespace
}  // namespace freshet
