// Rows of one source that might meet again behind a `label_join` go in one batch, but for those that may find
// a label there that waits for them.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"

namespace freshet {
namespace {

class CountingBatches final : public Operator {
 public:
  explicit CountingBatches(OperatorContext& context) : batches_(context.counter("batches")) {}
  Status Process(size_t, const Batch& in, Emitter& out) override {
    batches_.Add();
    out.Emit(0, in);
    return {};
  }

 private:
  Counter& batches_;
};

struct Batches {
  StreamRef from;

  static const ShapeBase& Describe() {
    static const auto shape = Shape<Batches>("counts batches").Required<&Batches::from>("from", "a stream");
    return shape;
  }
  static std::vector<InputPort> Inputs(const Batches& p) {
    return {{"from", p.from, Role::kEvent, Spread::kOne, {}}};
  }
  static Plan Bind(const Batches&, Binder& binder) {
    Plan plan;
    plan.outputs.push_back(PassOn(binder, 0));
    plan.make = [](OperatorContext& context, size_t) { return std::make_unique<CountingBatches>(context); };
    return plan;
  }
};

Registry WithBatches() {
  static const std::vector<Definition> all = [] {
    std::vector<Definition> definitions(Operators().operators.begin(), Operators().operators.end());
    definitions.push_back(Define<Batches>("batches", {}));
    return definitions;
  }();
  return {all, Operators().model, Operators().bind_model};
}

constexpr std::string_view kJob = R"yaml(job: meeting
shards: 64
sources:
  asked:
    event_time: {field: t, max_out_of_orderness: 1h}
    fields: {id: string, t: timestamp, x: float64}
  told:
    event_time: {field: t, max_out_of_orderness: 1h}
    fields: {id: string, t: timestamp, good: bool}
operators:
  seen: {type: batches, from: asked}
  some: {type: filter, from: seen, where: "x > 0"}
  predicted: {type: predict, from: some, model: m}
  joined: {type: label_join, from: predicted, labels: told, key: id, label: good, wait: 2h, labels_early: 0s}
  learnt: {type: train, from: joined}
models: {m: {features: {numeric: [x]}}}
sinks: {learnt: {from: learnt, fields: [id]}}
)yaml";

struct Rows {
  std::vector<JobRecord> asked, told;
  std::string_view labels_early = "0s";
};

JobRecord At(int minute, const std::string& id, std::string_view more) {
  JobRecord record;
  record.value = R"({"id": ")" + id + R"(", "t": ")" +
                 FormatTimestamp(1704067200 * kSecond + minute * kMinute) + "\", " + std::string(more) + "}";
  return record;
}
JobRecord Asked(int minute, double x = 1) {
  return At(minute, "id" + std::to_string(minute), "\"x\": " + std::to_string(x));
}
JobRecord Told(int minute, int of) {
  return At(minute, "id" + std::to_string(of), R"("good": true)");
}

struct Seen {
  uint64_t batches = 0;  // of `asked`
  size_t learnt = 0;
};

Seen Watch(const Rows& rows) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  std::string yaml(kJob);
  yaml.replace(yaml.find("labels_early: 0s"), 16, "labels_early: " + std::string(rows.labels_early));
  JobFixture job(yaml, WithBatches(), *log, broker.clock());
  CreateAndFill(*log, {"asked", 1, rows.asked});
  CreateAndFill(*log, {"told", 1, rows.told});
  const JobOutcome outcome = job.Run();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  return {outcome.Count("batches{operator=\"seen\"}"), job.Read().sinks["learnt"].size()};
}

TEST(RowByRow, NotForTasksThatHaveHadNoRowYet) {
  Rows rows;
  for (int minute = 0; minute < 20; ++minute) {
    rows.asked.push_back(Asked(minute));
    rows.told.push_back(Told(minute + 60, minute));
  }
  const Seen seen = Watch(rows);
  EXPECT_EQ(seen.batches, 1U);
  EXPECT_EQ(seen.learnt, 20U);
}

// Labels of rows that are not predicted on wait for the watermark: for the rows after them they are too old.
TEST(RowByRow, NotForRowsAfterTheLabelsThatWait) {
  Rows rows;
  for (int minute = 0; minute < 40; ++minute) {
    rows.asked.push_back(Asked(minute, minute % 2));
    if (minute % 10 == 9) rows.told.push_back(Told(minute, minute - 1));
  }
  const Seen seen = Watch(rows);
  EXPECT_EQ(seen.batches, 4U);
  EXPECT_EQ(seen.learnt, 0U);
}

TEST(RowByRow, ForRowsBehindALabelThatWaits) {
  Rows rows;
  rows.told.push_back(Told(10, 8));
  for (const int minute : {12, 13, 9, 14, 10, 15, 8, 16})
    rows.asked.push_back(Asked(minute));
  rows.told.push_back(Told(17, 13));
  const Seen seen = Watch(rows);
  EXPECT_EQ(seen.batches, 7U);  // 12 13 | 9 | 14 | 10 | 15 | 8 | 16
  EXPECT_EQ(seen.learnt, 2U);

  rows.labels_early = "3m";
  EXPECT_EQ(Watch(rows).batches, 8U);  // the latest that a label of 10 may be for is one of 13
}

// What waits is known again after a restart.
TEST(RowByRow, IsAsItWasAfterARestart) {
  Rows rows;
  rows.told.push_back(Told(0, 100));
  for (int minute = 1; minute <= 20; ++minute)
    rows.asked.push_back(Asked(minute));
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  CreateAndFill(*log, {"told", 1, rows.told});
  CreateAndFill(*log, {"asked", 1, rows.asked});
  bool failed = false;
  broker.set_at_commit([&](bool before) {
    if (before || std::exchange(failed, true)) return;
    broker.Crash();
  });
  JobOptions options;
  options.commit_now = [](uint64_t rows_in_epoch) { return rows_in_epoch == 1; };
  JobFixture first(std::string(kJob), WithBatches(), *log, broker.clock());
  EXPECT_FALSE(first.Run(options).status.ok());
  ASSERT_TRUE(failed);
  const std::unique_ptr<Log> again = OpenSimulatedLog(broker);
  JobFixture second(std::string(kJob), WithBatches(), *again, broker.clock());
  const JobOutcome outcome = second.Run();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(outcome.Count("rows_in{source=\"told\"}"), 0U);
  EXPECT_EQ(outcome.Count("batches{operator=\"seen\"}"), 1U);
}

}  // namespace
}  // namespace freshet
