#include "engine/runtime/reach.h"

#include <gtest/gtest.h>

#include "operators/list.h"
#include "tests/harness/job_fixture.h"

namespace freshet {
namespace {

constexpr std::string_view kSources = R"yaml(job: reach
sources:
  a:
    event_time: {field: t}
    fields: {id: string, key: string, t: timestamp, x: float64, good: bool}
  b:
    event_time: {field: t}
    fields: {id: string, key: string, t: timestamp, x: float64, good: bool}
)yaml";

Reach Of(uint32_t source, std::string_view rest) {
  const auto plan = PlanOf(std::string(kSources) + std::string(rest), Operators());
  return plan == nullptr ? Reach() : ReachOf(*plan, source);
}

constexpr std::string_view kModel = "models: {m: {features: {numeric: [x]}}}\nsinks: {out: {from: last}}\n";

TEST(Reach, OfAChainOrOfTwoSourcesIsFree) {
  const std::string_view job = R"yaml(operators:
  more: {type: features, from: a, over: b, key: key, features: {m_1h: {mean: x, window: 1h}}}
  last: {type: filter, from: more, where: "x > 0"}
sinks: {out: {from: last}, more: {from: more}}
)yaml";
  for (const uint32_t source : {0U, 1U}) {
    EXPECT_FALSE(Of(source, job).row_by_row);
    EXPECT_TRUE(Of(source, job).gates.empty());
  }
}

TEST(Reach, OfBothPortsOfAnOperatorIsRowByRow) {
  const std::string_view job = R"yaml(operators:
  some: {type: filter, from: a, where: "x > 0"}
  last: {type: features, from: a, over: some, key: key, features: {m_1h: {mean: x, window: 1h}}}
sinks: {out: {from: last}}
)yaml";
  EXPECT_TRUE(Of(0, job).row_by_row);
  EXPECT_FALSE(Of(1, job).row_by_row);
}

TEST(Reach, OfAModelWhereItPredictsAndWhereItLearnsIsRowByRow) {
  const std::string job = R"yaml(operators:
  learnt: {type: train, from: a, models: [m], label: good}
  last: {type: predict, from: a, model: m}
)yaml" + std::string(kModel);
  EXPECT_TRUE(Of(0, job).row_by_row);
  EXPECT_FALSE(Of(1, job).row_by_row);
}

TEST(Reach, OfAnOperatorThatLearnsAndPredictsItselfIsFree) {
  const std::string job = R"yaml(operators:
  last: {type: train, from: a, models: [m], label: good}
)yaml" + std::string(kModel);
  EXPECT_FALSE(Of(0, job).row_by_row);
}

TEST(Reach, ThroughALabelJoinHangsOnWhetherItEmitsNow) {
  const std::string job = R"yaml(operators:
  seen: {type: predict, from: a, model: m}
  joined: {type: label_join, from: seen, labels: b, key: id, label: good, wait: 1h}
  last: {type: train, from: joined}
)yaml" + std::string(kModel);
  EXPECT_FALSE(Of(0, job).row_by_row);
  EXPECT_EQ(Of(0, job).gates, (std::vector<Reach::Gate>{{1, 0}}));
  EXPECT_FALSE(Of(1, job).row_by_row);
  EXPECT_TRUE(Of(1, job).gates.empty());
}

TEST(Reach, ThroughALabelJoinThatReleasesAfterTheWaitIsFree) {
  const std::string job = R"yaml(operators:
  seen: {type: predict, from: a, model: m}
  joined: {type: label_join, from: seen, labels: b, key: id, label: good, wait: 1h, release: after_wait}
  last: {type: train, from: joined}
)yaml" + std::string(kModel);
  EXPECT_FALSE(Of(0, job).row_by_row);
  EXPECT_TRUE(Of(0, job).gates.empty());
}

TEST(Reach, OfOneTopicByTwoSinksIsRowByRow) {
  const std::string_view job = R"yaml(operators:
  some: {type: filter, from: a, where: "x > 0"}
  last: {type: filter, from: a, where: "x < 1"}
sinks: {out: {from: last, topic: both}, more: {from: some, topic: both}}
)yaml";
  EXPECT_TRUE(Of(0, job).row_by_row);
}

}  // namespace
}  // namespace freshet
