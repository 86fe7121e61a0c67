// What a lane does when commits fail: an environment that fails costs no record and is waited for, a record
// that the log will never take costs only itself, and a stop is heard all the while.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

constexpr SimulatedFaults kEveryCommit = {.aborted_commit = 1};

std::string HeaderOf(const OutgoingRecord& record, std::string_view name) {
  for (const Header& header : record.headers) {
    if (header.key == name) return std::string(header.value);
  }
  return "";
}

// The counting job over a hundred rows.
struct Scene {
  Scene()
      : log(OpenSimulatedLog(broker)), job(std::string(CountingJob()), Operators(), *log, broker.clock()) {
    for (int i = 0; i < 100; ++i)
      rows.push_back(CountingRow("id" + std::to_string(i)));
  }
  JobOutcome Run(const JobOptions& options = {}) {
    if (!filled) CreateAndFill(*log, {"events", 1, rows});
    filled = true;
    testing::internal::CaptureStderr();
    const Time begin = broker.clock().Now();
    JobOutcome outcome = job.Run(options);
    took = broker.clock().Now() - begin;
    said = testing::internal::GetCapturedStderr();
    return outcome;
  }
  // Refuses the sink's records of these rows, as a broker does whose limits are narrower than it says.
  void RefuseRows(int first, int last) {
    broker.set_at_send([first, last](const OutgoingRecord& record) {
      if (record.topic != "out") return Status();
      for (int i = first; i <= last; ++i) {
        if (record.value->find("\"id" + std::to_string(i) + "\"") != std::string_view::npos)
          return Status(Code::kUnwritable, "the broker does not take it");
      }
      return Status();
    });
  }

  SimulatedBroker broker{1};
  std::unique_ptr<Log> log;
  JobFixture job;
  std::vector<JobRecord> rows;
  bool filled = false;
  Duration took = 0;
  std::string said;
};

TEST(Failures, ThatEndCostNoRecord) {
  for (const int tries : {1, 10, 35}) {
    Scene scene;
    int tried = 0;
    scene.broker.set_faults(kEveryCommit);
    scene.broker.set_at_commit([&](bool before) {
      if (before && ++tried > tries) scene.broker.set_faults({});
    });
    const JobOutcome outcome = scene.Run();
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    const JobResult result = scene.job.Read();
    EXPECT_TRUE(result.dead_letters.empty()) << scene.said;
    EXPECT_EQ(result.sinks.at("out").size(), scene.rows.size());
    EXPECT_EQ(scene.said.find("dead letters"), std::string::npos) << scene.said;
  }
}

TEST(Failures, WithoutAnEndEndTheRunAfterAWhile) {
  Scene scene;
  int tried = 0;
  scene.broker.set_faults(kEveryCommit);
  scene.broker.set_at_commit([&](bool before) { tried += before ? 1 : 0; });
  const JobOutcome outcome = scene.Run();
  EXPECT_EQ(outcome.status.code(), Code::kAborted);
  EXPECT_NE(outcome.status.message().find("40 times in a row"), std::string::npos)
      << outcome.status.message();
  EXPECT_EQ(tried, 40);
  EXPECT_TRUE(scene.job.Read().dead_letters.empty());
  EXPECT_GT(scene.took, 2 * kMinute);
  EXPECT_LT(scene.took, 5 * kMinute);
}

TEST(Failures, ThatTryingAgainWillNotMendEndTheRunAtOnce) {
  Scene scene;
  int asked = 0;
  scene.broker.set_at_send([&](const OutgoingRecord& record) {
    if (record.topic != "out") return Status();
    ++asked;
    return Invalid("not authorized; grant it to this user on the broker");
  });
  const JobOutcome outcome = scene.Run();
  EXPECT_EQ(outcome.status.code(), Code::kInvalid);
  EXPECT_NE(outcome.status.message().find("grant it"), std::string::npos) << outcome.status.message();
  EXPECT_EQ(asked, 1);
}

TEST(Unwritable, RecordsCostNoOthers) {
  for (const auto& [first, last] : {std::pair(57, 57), std::pair(20, 79)}) {
    Scene scene;
    scene.RefuseRows(first, last);
    const JobOutcome outcome = scene.Run();
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
    const JobResult result = scene.job.Read();
    const auto refused = static_cast<size_t>(last) - static_cast<size_t>(first) + 1;
    EXPECT_EQ(result.sinks.at("out").size(), scene.rows.size() - refused);
    ASSERT_EQ(result.dead_letters.size(), refused);
    for (size_t i = 0; i < refused; ++i) {
      EXPECT_EQ(result.dead_letters[i].headers.at("offset"), std::to_string(static_cast<size_t>(first) + i));
      EXPECT_EQ(result.dead_letters[i].headers.at("reason"), "keeps_aborting");
    }
    EXPECT_LT(scene.took, kMinute) << "nothing to wait for";
  }
}

// While the culprit is looked for, the environment fails as well.
TEST(Unwritable, RecordsAreToldFromTheEnvironment) {
  Scene scene;
  scene.RefuseRows(57, 57);
  scene.broker.set_faults({.aborted_commit = 0.5});
  const JobOutcome outcome = scene.Run();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  const JobResult result = scene.job.Read();
  ASSERT_EQ(result.dead_letters.size(), 1U);
  EXPECT_EQ(result.dead_letters[0].headers.at("offset"), "57");
}

// There is no further place for a record whose dead letter is not taken; its neighbours are not to blame.
TEST(Unwritable, DeadLettersEndTheRunAndNameTheRecord) {
  Scene scene;
  for (const size_t bad : {30, 31, 32, 33, 34})
    scene.rows[bad].value = "no row";
  scene.broker.set_at_send([](const OutgoingRecord& record) {
    return HeaderOf(record, "offset") == "32" ? Status(Code::kUnwritable, "the broker does not take it")
                                              : Status();
  });
  const JobOutcome outcome = scene.Run();
  EXPECT_EQ(outcome.status.code(), Code::kUnwritable);
  EXPECT_NE(outcome.status.message().find(
                "the dead letter of the record at events[0] offset 32 (not_json) keeps every epoch from"),
            std::string::npos)
      << outcome.status.message();
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size(), 30U);
  EXPECT_EQ(result.dead_letters.size(), 2U);
}

// What every epoch sends is nobody's fault.
TEST(Unwritable, ClosingRecordsEndTheRunAndCostNoRecord) {
  Scene scene;
  scene.broker.set_at_send([](const OutgoingRecord& record) {
    return record.topic != "out" && record.key && record.key->ends_with("c") &&
                   record.value->starts_with("\3")
               ? Status(Code::kUnwritable, "the broker does not take it")
               : Status();
  });
  const JobOutcome outcome = scene.Run();
  EXPECT_EQ(outcome.status.code(), Code::kInvalid) << outcome.status.message();
  EXPECT_TRUE(scene.job.Read().dead_letters.empty());
}

TEST(Unwritable, BadRecordsCountAsRowsOfTheirEpoch) {
  Scene scene;
  for (size_t i = 0; i < scene.rows.size(); ++i) {
    if (i % 7 != 3) scene.rows[i].value = "no row";
  }
  JobOptions options;
  options.most_rows = 1;
  uint64_t most = 0;
  options.commit_now = [&](uint64_t rows) {
    most = std::max(most, rows);
    return rows > 0;
  };
  const JobOutcome outcome = scene.Run(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(most, 1U);
  EXPECT_EQ(outcome.report.commits, scene.rows.size());
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size() + result.dead_letters.size(), scene.rows.size());
}

// --- a stop

// A log that tells when it is asked for the end of a changelog, which is how a restore begins.
class ToldLog final : public Log {
 public:
  ToldLog(Log& log, std::function<void()> told) : log_(log), told_(std::move(told)) {}
  std::string Describe() const override { return log_.Describe(); }
  Result<std::vector<std::string>> Topics() override { return log_.Topics(); }
  Result<std::optional<TopicInfo>> Find(std::string_view topic) override { return log_.Find(topic); }
  Status Create(std::string_view topic, const TopicSettings& settings) override {
    return log_.Create(topic, settings);
  }
  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) override {
    if (id.topic.find(".changelog.") != std::string::npos) told_();
    return log_.Range(id, isolation);
  }
  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    return log_.OpenConsumer(options);
  }
  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    return log_.OpenProducer(options);
  }

 private:
  Log& log_;
  std::function<void()> told_;
};

TEST(Stopped, DuringARestoreIsAnEndAtOnce) {
  Scene scene;
  ASSERT_TRUE(scene.Run().status.ok());
  Append(*scene.log, "events", std::vector<JobRecord>{CountingRow("later")});
  StopSignal stop;
  ToldLog told(*scene.log, [&] { stop.Request(); });
  JobFixture job(std::string(CountingJob()), Operators(), told, scene.broker.clock());
  JobOptions options;
  options.stop = &stop;
  const JobOutcome stopped = job.Run(options);
  EXPECT_TRUE(stopped.status.ok()) << stopped.status.message();
  EXPECT_EQ(stopped.report.commits, 0U);
  ASSERT_TRUE(scene.Run().status.ok());
  EXPECT_EQ(scene.job.Read().sinks.at("out").size(), scene.rows.size() + 1);
}

TEST(Stopped, WhileCommitsFailIsTheLastTry) {
  Scene scene;
  StopSignal stop;
  int tried = 0;
  scene.broker.set_faults(kEveryCommit);
  scene.broker.set_at_commit([&](bool before) {
    if (before && ++tried == 3) stop.Request();
  });
  JobOptions options;
  options.stop = &stop;
  const JobOutcome stopped = scene.Run(options);
  EXPECT_TRUE(stopped.status.ok()) << stopped.status.message();
  EXPECT_EQ(tried, 3);
  scene.broker.set_faults({});
  ASSERT_TRUE(scene.Run().status.ok());
  EXPECT_EQ(scene.job.Read().sinks.at("out").size(), scene.rows.size());
}

}  // namespace
}  // namespace freshet
