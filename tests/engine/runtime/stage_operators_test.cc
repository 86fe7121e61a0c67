// What the operators of a stage are given, and what becomes of their failures: whole jobs with operators of
// the tests' own.
#include "engine/runtime/stage_operators.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

// Passes rows on, counts its opened shards, and fails at a row of a time of the day.
class Probing final : public Operator {
 public:
  Probing(OperatorContext& context, Duration fails_at) : context_(context), fails_at_(fails_at) {}
  Status Open(uint32_t shard) override {
    context_.counter("opened").Add(uint64_t{1} << (4 * shard));
    return {};
  }
  Status Process(size_t, const Batch& in, Emitter& out) override {
    out.Emit(0, in);
    for (const Time time : in.times()) {
      if (fails_at_ > 0 && time % kDay == fails_at_) return Internal("this is the time");
    }
    return {};
  }

 private:
  OperatorContext& context_;
  Duration fails_at_;
};

struct Probe {
  StreamRef from;
  bool keyed = false;
  int64_t fails_at = 0;  // seconds of the day

  static const ShapeBase& Describe() {
    static const auto shape = Shape<Probe>("passes rows on")
                                  .Required<&Probe::from>("from", "a stream")
                                  .Optional<&Probe::keyed>("keyed", "whether rows come by `id`")
                                  .Optional<&Probe::fails_at>("fails_at", "seconds of the day");
    return shape;
  }
  static std::vector<InputPort> Inputs(const Probe& p) {
    std::vector<FieldRef> key;
    if (p.keyed) key.push_back({"id", {}});
    return {{"from", p.from, Role::kEvent, p.keyed ? Spread::kKeyed : Spread::kAny, key}};
  }
  static Plan Bind(const Probe& p, Binder& binder) {
    Plan plan;
    plan.outputs.push_back(PassOn(binder, 0));
    plan.tables.push_back({.name = "rows"});
    plan.make = [fails_at = p.fails_at * kSecond](OperatorContext& context, size_t) {
      return std::make_unique<Probing>(context, fails_at);
    };
    return plan;
  }
};

Registry WithProbes() {
  static const std::vector<Definition> all = [] {
    std::vector<Definition> definitions(Operators().operators.begin(), Operators().operators.end());
    definitions.push_back(Define<Probe>("probe", {}));
    return definitions;
  }();
  return {all, Operators().model, Operators().bind_model};
}

std::string Yaml(std::string_view operators, std::string_view last) {
  return R"yaml(job: probes
shards: 3
sources:
  events: {event_time: {field: t}, fields: {id: string, t: timestamp}}
operators:
)yaml" + std::string(operators) +
         "sinks: {out: {from: " + std::string(last) + "}}\n";
}

JobOutcome OutcomeOf(const std::string& yaml) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  JobFixture job(yaml, WithProbes(), *log, broker.clock());
  CreateAndFill(*log, {"events", 1, {CountingRow("a", "00:00:01"), CountingRow("b", "00:00:02")}});
  return job.Run();
}

TEST(StageOperators, EachShardIsOpenedOnce) {
  const JobOutcome outcome = OutcomeOf(Yaml("  one: {type: probe, from: events, keyed: true}\n", "one"));
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(outcome.Count("opened{operator=\"one\"}"), 0x111U);
}

TEST(StageOperators, AFailureOfOneInsideAStageEndsTheCallThatCausedIt) {
  const JobOutcome outcome =
      OutcomeOf(Yaml("  one: {type: probe, from: events, keyed: true}\n"
                     "  two: {type: probe, from: one, keyed: true, fails_at: 2}\n"
                     "  three: {type: probe, from: two, keyed: true}\n",
                     "three"));
  EXPECT_EQ(outcome.status.code(), Code::kInternal);
  EXPECT_NE(outcome.status.message().find("this is the time"), std::string::npos);
}

// Its table would be that of one shard, whichever rows it sees.
TEST(StageOperators, StateWithoutAKeyIsThatOfOneTask) {
  const auto plan = PlanOf(Yaml("  one: {type: probe, from: events, keyed: true}\n"
                                "  two: {type: probe, from: one}\n",
                                "two"),
                           WithProbes());
  ASSERT_EQ(plan->stages.size(), 2U);
  EXPECT_EQ(plan->stages[0].shards, 3U);
  EXPECT_EQ(plan->stages[1].shards, 1U);
}

}  // namespace
}  // namespace freshet
