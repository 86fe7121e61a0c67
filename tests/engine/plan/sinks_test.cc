// Which columns a sink writes that names none.
#include <gtest/gtest.h>

#include "operators/list.h"
#include "tests/harness/job_fixture.h"

namespace freshet {
namespace {

constexpr std::string_view kJob = R"yaml(job: planned
sources:
  events:
    event_time: {field: t}
    fields: {id: string, t: timestamp, x: float64}
operators:
  seen: {type: predict, from: events, model: m, shadow: [s]}
  one: {type: predict, from: events, model: m}
  both: {type: predict, from: one, model: s}
  only: {type: derive, from: seen, keep: [s.score, s.version]}
models:
  m: {features: {numeric: [x]}}
  s: {features: {numeric: [x]}}
)yaml";

using Texts = std::vector<std::string>;

std::string JobWith(std::string_view sinks) {
  std::string text(kJob);
  text += sinks;
  return text;
}

Texts WrittenBy(const std::string& sink) {
  const auto plan = PlanOf(JobWith("sinks: {out: " + sink + "}\n"), Operators());
  Texts names;
  for (const OutputField& field : plan->sinks[0].fields)
    names.push_back(plan->SchemaOf(plan->sinks[0].streams[0])[field.column].name);
  return names;
}

const Texts kWithoutShadow = {"id", "t", "x", "m.version", "m.score", "m.probability"};

TEST(Sinks, WriteShadowPredictionsOnlyWhereTheyAreNamed) {
  EXPECT_EQ(WrittenBy("{from: seen}"), kWithoutShadow);
  EXPECT_EQ(WrittenBy("{from: seen, fields: [s.score, id]}"), (Texts{"s.score", "id"}));
  EXPECT_EQ(WrittenBy("{from: only, fields: [s.score]}"), (Texts{"s.score"}));
}

TEST(Sinks, AShadowInAnyOfTheirStreamsIsOne) {
  EXPECT_EQ(WrittenBy("{from: both}").size(), kWithoutShadow.size() + 3);
  EXPECT_EQ(WrittenBy("{from: [both, seen]}"), kWithoutShadow);
  EXPECT_EQ(WrittenBy("{from: [seen, both]}"), kWithoutShadow);
}

TEST(Sinks, OfShadowPredictionsAloneMustNameThem) {
  EXPECT_EQ(DiagnosticsOf(JobWith("sinks:\n  out:\n    from: only\n"), Operators()),
            "job.yaml:16:11: `only` has only columns of shadow predictions, which a sink writes where its "
            "`fields` name them; name some\n");
}

// What nothing reads is not worked out.
TEST(Sinks, AShadowThatNothingNamesIsNotRead) {
  const auto plan = PlanOf(JobWith("sinks: {out: {from: seen}}\n"), Operators());
  const PlannedOperator& seen = plan->operators[plan->sinks[0].streams[0].node];
  for (size_t c = 0; c < seen.plan.outputs[0].schema.size(); ++c)
    EXPECT_EQ(seen.read[0][c], !seen.plan.outputs[0].schema[c].shadow) << c;
}

}  // namespace
}  // namespace freshet
