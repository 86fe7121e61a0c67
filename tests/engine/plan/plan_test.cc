#include "engine/plan/plan.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

constexpr std::string_view kSources = R"yaml(job: planned
sources:
  b:
    event_time: {field: t}
    fields: {id: string, key: string, t: timestamp, x: float64, rest: int64}
  a:
    event_time: {field: t}
    fields: {id: string, key: string, t: timestamp, x: float64, good: bool}
)yaml";

std::unique_ptr<JobPlan> Planned(std::string_view rest, std::vector<std::string> set = {}) {
  return PlanOf(std::string(kSources) + std::string(rest), Operators(), std::move(set));
}
std::string Diagnosed(std::string_view rest) {
  return DiagnosticsOf(std::string(kSources) + std::string(rest), Operators());
}

void ExpectSays(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
}

// "stage(shards): member member <- stream/key stream", one a stage.
std::vector<std::string> StagesOf(const JobPlan& plan) {
  std::vector<std::string> lines;
  for (const PlannedStage& stage : plan.stages) {
    std::string line = stage.name + "(" + std::to_string(stage.shards) + "):";
    for (const Member& member : stage.members)
      line +=
          " " + plan.operators[member.op].name + (member.part > 0 ? "#" + std::to_string(member.part) : "");
    line += " <-";
    for (const Crossing& crossing : stage.crossings) {
      line += " " + plan.NameOf(crossing.stream);
      for (const size_t column : plan.operators[crossing.op].keys[crossing.port])
        line += "/" + plan.SchemaOf(crossing.stream)[column].name;
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(Plan, OperatorsShareAStageAsLongAsTheirKeyPassesThrough) {
  const auto plan = Planned(R"yaml(operators:
  first: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
  more: {type: derive, from: first, fields: {twice: "x * 2"}}
  some: {type: filter, from: more, where: "x > 0"}
  again: {type: features, from: some, key: key, features: {m_1h: {mean: twice, window: 1h}}}
  other: {type: features, from: again, key: id, features: {o_1h: {count: "*", window: 1h}}}
  back: {type: features, from: other, key: key, features: {p_1h: {count: "*", window: 1h}}}
sinks: {out: {from: back}}
)yaml",
                            {"shards=4"});
  EXPECT_EQ(StagesOf(*plan),
            (std::vector<std::string>{"first(4): first more some again <- a/key",
                                      "other(4): other <- again/id", "back(4): back <- other/key"}));
  EXPECT_TRUE(plan->stages[0].keeps_state);
  EXPECT_EQ(plan->stages[0].changelog, "planned.changelog.first");
}

TEST(Plan, AKeyThatWasComputedAnewChangesTheStage) {
  const auto plan = Planned(R"yaml(operators:
  first: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
  less: {type: derive, from: first, drop: [key], fields: {kind: lower(key)}}
  again: {type: features, from: less, key: kind, features: {m_1h: {count: "*", window: 1h}}}
sinks: {out: {from: again}}
)yaml");
  EXPECT_EQ(StagesOf(*plan),
            (std::vector<std::string>{"first(8): first less <- a/key", "again(8): again <- less/kind"}));
}

TEST(Plan, AKeyThatIsReplacedUnderItsNameChangesTheStageToo) {
  for (const std::string drop : {"", "drop: [key], "}) {
    const auto plan = Planned(R"yaml(operators:
  first: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
  less: {type: derive, from: first, )yaml" +
                              drop + R"yaml(fields: {key: lower(key)}}
  again: {type: features, from: less, key: key, features: {m_1h: {count: "*", window: 1h}}}
sinks: {out: {from: again}}
)yaml");
    EXPECT_EQ(StagesOf(*plan),
              (std::vector<std::string>{"first(8): first less <- a/key", "again(8): again <- less/key"}));
  }
}

TEST(Plan, WhatKeepsNoStateStaysInItsStage) {
  const auto plan = Planned(R"yaml(operators:
  first: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
  more: {type: derive, from: first, fields: {twice: "x * 2"}}
  again: {type: features, from: more, key: key, features: {m_1h: {mean: twice, window: 1h}}}
  aside: {type: filter, from: more, where: "x > 0"}
  after: {type: filter, from: again, where: "x > 0"}
  alone: {type: features, from: after, key: key, shards: 1, features: {p_1h: {count: "*", window: 1h}}}
  with: {type: filter, from: alone, where: "x > 1"}
sinks: {out: {from: with}, other: {from: aside}}
)yaml");
  EXPECT_EQ(StagesOf(*plan), (std::vector<std::string>{"first(8): first more again aside after <- a/key",
                                                       "alone(1): alone with <- after/key"}));
}

TEST(Plan, ASideOutputThatNothingReadsIsWarnedOf) {
  const std::string job =
      "operators:\n"
      "  sums: {type: features, from: a, over: b, key: key, late: side, features: {n_1h: {count: \"*\", "
      "window: 1h}}}\n"
      "sinks: {out: {from: sums}";
  ExpectSays(Diagnosed(job + "}\n"), {"warning: nothing reads `sums.late`, `sums.late_over`"});
  EXPECT_EQ(Diagnosed(job + ", late: {from: sums.late}}\n"), "");
}

TEST(Plan, OtherShardsOrAnInputFromOutsideAreMinded) {
  const auto plan = Planned(R"yaml(operators:
  first: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
  joined: {type: features, from: first, over: b, key: key, features: {m_1h: {mean: x, window: 1h}}}
  fewer: {type: features, from: joined, key: key, shards: 2, features: {o_1h: {count: "*", window: 1h}}}
sinks: {out: {from: fewer}}
)yaml");
  EXPECT_EQ(StagesOf(*plan),
            (std::vector<std::string>{"first(8): first <- a/key", "joined(8): joined <- first/key b/key",
                                      "fewer(2): fewer <- joined/key"}));
  ExpectSays(Diagnosed(R"yaml(operators:
  more: {type: derive, from: a, shards: 2, fields: {y_1: x}}
sinks: {out: {from: more}}
)yaml"),
             {"has no key"});
}

TEST(Plan, EachModelIsTrainedByAOneShardTaskOfItsOwn) {
  const auto plan = PlanOf(JoiningJob(), Operators());
  const std::vector<std::string> stages = StagesOf(*plan);
  EXPECT_NE(std::find(stages.begin(), stages.end(), "learnt.m(1): learnt <- labelled"), stages.end())
      << testing::PrintToString(stages);
  EXPECT_NE(std::find(stages.begin(), stages.end(), "learnt.second(1): learnt#1 <- labelled"), stages.end());
  EXPECT_EQ(plan->models[0].topic, "joining.model.m");
  EXPECT_EQ(plan->operators[plan->models[0].trainer].name, "learnt");
  EXPECT_EQ(plan->models[1].part, 1U);
}

TEST(Plan, AModelHasOneTrainer) {
  ExpectSays(Diagnosed(R"yaml(operators:
  one: {type: train, from: a, models: [m], label: good}
  two: {type: train, from: a, models: [m], label: good}
models: {m: {features: {numeric: [x]}}}
sinks: {out: {from: one}}
)yaml"),
             {"model `m` is trained by `one` and by `two`", "one trainer"});
}

// --- order

TEST(Plan, RolesSayWhoComesFirstAtEqualTimes) {
  const auto plan = Planned(R"yaml(operators:
  joined: {type: features, from: b, over: a, key: key, features: {m_1h: {mean: x, window: 1h}}}
sinks: {out: {from: joined}}
)yaml");
  EXPECT_EQ(plan->sources[0].role, Role::kEvent);
  EXPECT_EQ(plan->sources[1].role, Role::kLabel);
  EXPECT_EQ(plan->sources[0].confluence, plan->sources[1].confluence);
  ExpectSays(Explain(*plan), {"b", "a"});
}

TEST(Plan, ARolePassesThroughWhatOnlyPassesRowsOn) {
  const auto plan = Planned(R"yaml(operators:
  some: {type: filter, from: a, where: "x > 0"}
  joined: {type: label_join, from: b, labels: some, key: id, label: good, wait: 1h}
sinks: {out: {from: joined}}
)yaml");
  EXPECT_EQ(plan->sources[1].role, Role::kLabel);
}

TEST(Plan, SourcesThatNeverMeetAreNotMerged) {
  const auto plan = Planned(R"yaml(operators:
  one: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
  two: {type: features, from: b, key: key, features: {n_1h: {count: "*", window: 1h}}}
sinks: {out: {from: one}, more: {from: two}}
)yaml");
  EXPECT_NE(plan->sources[0].confluence, plan->sources[1].confluence);
}

TEST(Plan, SourcesMeetInAModel) {
  const auto plan = Planned(R"yaml(operators:
  learnt: {type: train, from: a, models: [m], label: good}
  seen: {type: predict, from: b, model: m}
models: {m: {features: {numeric: [x]}}}
sinks: {out: {from: seen}}
)yaml");
  EXPECT_EQ(plan->sources[0].confluence, plan->sources[1].confluence);
}

TEST(Plan, CyclesAreNamed) {
  ExpectSays(Diagnosed(R"yaml(operators:
  one: {type: filter, from: two, where: "x > 0"}
  two: {type: filter, from: one, where: "x > 0"}
sinks: {out: {from: a}}
)yaml"),
             {"operator `one` reads its own output: one ← two ← one", "operator `two`"});
}

// --- columns

TEST(Plan, WhatNobodyReadsIsMarked) {
  const auto plan = Planned(R"yaml(operators:
  more: {type: derive, from: b, fields: {used: "x + 1", unused: "x + 2", between: "used * 2"}}
  some: {type: filter, from: more, where: "between > 0"}
sinks: {out: {from: some, key: id, fields: [key]}}
)yaml");
  const PlannedOperator& more = plan->operators[0];
  const Schema& schema = more.plan.outputs[0].schema;
  std::vector<std::string> read;
  for (size_t c = 0; c < schema.size(); ++c) {
    if (more.read[0][c]) read.push_back(schema[c].name);
  }
  EXPECT_EQ(read, (std::vector<std::string>{"id", "key", "between"}));
}

TEST(Plan, SideOutputsAreReadByName) {
  const auto plan = Planned(R"yaml(operators:
  joined: {type: label_join, from: b, labels: a, key: id, label: good, wait: 1h, on_timeout: side, late_labels: side}
  waited: {type: filter, from: joined.timed_out, where: "x > 0"}
sinks: {out: {from: waited}, late: {from: joined.late_labels}}
)yaml");
  EXPECT_EQ(plan->operators[1].inputs[0], (StreamId{false, 0, 1}));
  EXPECT_EQ(plan->NameOf(plan->sinks[1].streams[0]), "joined.late_labels");
  ExpectSays(Diagnosed(R"yaml(operators:
  joined: {type: label_join, from: b, labels: a, key: id, label: good, wait: 1h, on_timeout: side}
sinks: {out: {from: joined.timedout}}
)yaml"),
             {"has no side output `timedout`; did you mean `timed_out`?"});
}

// --- lineage

constexpr std::string_view kForbidding = R"yaml(
models:
  blind:
    forbid: [x]
    features: {numeric: [sum_1h]}
sinks: {out: {from: seen}}
)yaml";

TEST(Lineage, AWindowThatHoldsTheRowItselfLeaks) {
  const std::string leaking = R"yaml(operators:
  sums: {type: features, from: b, key: key, features: {sum_1h: {sum: x, window: 1h}}}
  seen: {type: predict, from: sums, model: blind}
)yaml";
  ExpectSays(Diagnosed(leaking + std::string(kForbidding)), {"`sum_1h`", "`x`", "sum_1h ← x"});
}

TEST(Lineage, AWindowWithoutTheRowItselfOrOverOthersDoesNot) {
  for (const std::string_view sums :
       {"{type: features, from: b, key: key, exclude_current: true, features: {sum_1h: {sum: x, window: "
        "1h}}}",
        "{type: features, from: b, over: a, key: key, features: {sum_1h: {sum: x, window: 1h}}}"}) {
    EXPECT_EQ(Diagnosed("operators:\n  sums: " + std::string(sums) +
                        "\n  seen: {type: predict, from: sums, model: blind}" + std::string(kForbidding))
                  .find("forbid"),
              std::string::npos);
  }
}

TEST(Lineage, ThePathIsNamedStepByStep) {
  const std::string leaking = R"yaml(operators:
  one: {type: derive, from: b, fields: {twice: "x * 2"}}
  two: {type: filter, from: one, where: "x > 0"}
  sums: {type: derive, from: two, fields: {sum_1h: "twice + 1"}}
  seen: {type: predict, from: sums, model: blind}
)yaml";
  ExpectSays(Diagnosed(leaking + std::string(kForbidding)), {"sum_1h ← twice ← x"});
}

// By the name of a column on the way too, though no field of the row is in it.
TEST(Lineage, AColumnIsForbiddenAsAFieldIs) {
  const auto diagnosed = [](const std::string& forbid, const std::string& feature) {
    return Diagnosed(
        "operators:\n"
        "  sums: {type: features, from: b, key: key, exclude_current: true,\n"
        "         features: {sum_1h: {sum: x, window: 1h}}}\n"
        "  more: {type: derive, from: sums, fields: {twice: \"sum_1h * 2\"}}\n"
        "  seen: {type: predict, from: more, model: blind}\n"
        "models:\n  blind: {forbid: [" +
        forbid + "], features: {numeric: [" + feature + "]}}\nsinks: {out: {from: seen}}\n");
  };
  EXPECT_EQ(diagnosed("x, good", "twice").find("blind"), std::string::npos);
  ExpectSays(diagnosed("sum_1h", "sum_1h"), {"`sum_1h` is `sum_1h`, which models.blind.forbid excludes"});
  ExpectSays(diagnosed("sum_1h", "twice"), {"twice ← sum_1h"});
  ExpectSays(diagnosed("twice", "twice"), {"forbid excludes"});
  ExpectSays(diagnosed("sum_2h", "rest"),
             {"no source and no operator has `sum_2h`", "did you mean `sum_1h`?"});
  ExpectSays(diagnosed("b.x", "rest"), {"no source and no operator has `b.x`"});
}

// --- what must not change

TEST(Plan, TheFingerprintIsOfWhatStateHangsOn) {
  const std::string job = R"yaml(operators:
  sums: {type: features, from: b, key: key, features: {sum_1h: {sum: x, window: 1h}}}
sinks: {out: {from: sums}}
)yaml";
  const uint64_t plain = Planned(job)->fingerprint;
  EXPECT_EQ(Planned(job)->fingerprint, plain);
  EXPECT_EQ(Planned(job, {"commit.interval=1s"})->fingerprint, plain);
  EXPECT_NE(Planned(job, {"shards=3"})->fingerprint, plain);
  EXPECT_NE(Planned(job, {"operators.sums.key=id"})->fingerprint, plain);
  EXPECT_NE(Planned(job, {"sources.b.fields.key=int64"})->fingerprint, plain);
}

TEST(Plan, OperatorsWithoutStateMayComeAndGo) {
  const std::string sums =
      "  sums: {type: features, from: b, key: key, features: {sum_1h: {sum: x, window: 1h}}}\n";
  const std::string filter = "  before: {type: filter, from: a, where: \"x > 0\"}\n";
  const std::string derive = "  after: {type: derive, from: sums, fields: {twice: \"x * 2\"}}\n";
  const std::string sinks = "sinks: {out: {from: sums}";
  const auto plain = Planned("operators:\n" + sums + sinks + "}\n");
  const auto more = Planned("operators:\n" + filter + sums + derive + sinks +
                            ", one: {from: before}, two: {from: after}}\n");
  EXPECT_EQ(more->fingerprint, plain->fingerprint);
  const std::string between = "  sums: {type: features, from: before,";
  const auto behind = Planned("operators:\n  before: {type: filter, from: b, where: \"x > 0\"}\n" + between +
                              sums.substr(sums.find("from: b,") + 8) + sinks + "}\n");
  EXPECT_EQ(behind->fingerprint, plain->fingerprint);
  const auto elsewhere =
      Planned("operators:\n" + filter + between + sums.substr(sums.find("from: b,") + 8) + sinks + "}\n");
  EXPECT_NE(elsewhere->fingerprint, plain->fingerprint);
  EXPECT_EQ(more->operators[1].name, "sums");
  EXPECT_EQ(more->operators[1].place, plain->operators[0].place);
}

TEST(Plan, WhatIsNotAvailableYetIsRefusedWhereItStands) {
  const std::string rest =
      "operators: {y: {type: derive, from: a, fields: {y_1: x}}}\nsinks: {out: {from: y}}\n";
  const std::string line = std::to_string(std::count(kSources.begin(), kSources.end(), '\n') + 1);
  ExpectSays(Diagnosed("guarantee: at_least_once\n" + rest),
             {":" + line + ":12: `guarantee: at_least_once`"});
  ExpectSays(Diagnosed("merge_slack: 1s\n" + rest),
             {":" + line + ":14: `merge_slack: 1s` is not available yet"});
  ExpectSays(Diagnosed("merge_wait: 1s\n" + rest),
             {":" + line + ":13: `merge_wait: 1s` is not available yet"});
}

TEST(Plan, TopicsCarryThePrefixOfTheJobAndNamedOnesDoNot) {
  const auto plan = PlanOf(SmallJob(), Operators(), {"prefix=us."});
  std::vector<std::string> names;
  for (const TopicNeed& need : TopicsOf(*plan))
    names.push_back(need.topic);
  EXPECT_EQ(names, (std::vector<std::string>{"events", "clicks", "large", "learnt", "us.small.placement",
                                             "us.small.dead-letters", "us.small.changelog.by_key",
                                             "us.small.changelog.by_other", "us.small.changelog.seen",
                                             "us.small.changelog.learnt.m", "us.small.model.m"}));
}

TEST(Plan, SaysWhatWindowsKeepOfAKeyAndOfARow) {
  const auto plan = Planned(R"yaml(operators:
  sums: {type: features, from: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
sinks: {out: {from: sums}}
)yaml");
  // A head of 24 bytes; 22 tiles of 5m, each with a header of 24 and a count of 8; a row: its time, a bit,
  // and its share of a chunk. The first row of a tile stays for the window, the tile, and up to 8 tiles until
  // it leaves.
  ExpectSays(Explain(*plan), {"    sums keeps up to 728B a key, and 10B for each row of the last 1h45m\n"});
}

TEST(Plan, WindowsKeepRowsLongerWhereAnyInputComesOutOfOrder) {
  const std::string job = R"yaml(operators:
  sums: {type: features, from: b, over: a, key: key, features: {n_1h: {count: "*", window: 1h}}}
sinks: {out: {from: sums}}
)yaml";
  for (const std::string source : {"a", "b"}) {
    const auto plan = Planned(job, {"sources." + source + ".event_time.max_out_of_orderness=10m"});
    ExpectSays(Explain(*plan), {"    sums keeps up to 792B a key, and 10B for each row of the last 1h55m\n"});
  }
}

TEST(Plan, WhatWindowsKeepIsNeverLessThanNothing) {
  std::string features;
  for (int i = 0; i < 200; ++i)
    features += "n_" + std::to_string(i) + ": {sum: x + " + std::to_string(i) + ", window: 1us}, ";
  const auto plan =
      Planned("operators:\n  sums: {type: features, from: a, key: key, allowed_lateness: 36525d, " +
                  std::string("features: {") + features +
                  "more: {sum: x, window: 36525d}}}\nsinks: {out: {from: sums}}\n",
              {"sources.a.event_time.max_out_of_orderness=36525d"});
  ExpectSays(Explain(*plan), {"sums keeps up to 9223372036854775807B a key"});
}

TEST(Plan, TheMemoryIsSplitWithoutRest) {
  const auto plan = PlanOf(SmallJob(), Operators(), {"memory=100000007B"});
  if (plan == nullptr) return;
  const MemorySplit& m = plan->memory;
  EXPECT_EQ(m.prefetch + m.producer + m.dirty + m.cache + m.block_cache + m.memtables + m.merge + m.restore,
            100000007);
}

}  // namespace
}  // namespace freshet
