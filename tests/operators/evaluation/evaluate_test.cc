#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& evaluate_definition();

namespace {

Named<Schema> Streams() {
  return {{"rows", Schema({{"dest", Type::kString, {}},
                           {"m.probability", Type::kFloat64, {}},
                           {"label", Type::kBool, {}},
                           {"prediction_time", Type::kTimestamp, {}}})},
          {"bare", Schema({{"x", Type::kFloat64, {}}})}};
}

void ExpectError(const std::string& body, const std::string& what) {
  OperatorFixture fixture(evaluate_definition(), body, Streams());
  EXPECT_FALSE(fixture.ok()) << body;
  EXPECT_NE(fixture.diagnostics().find(what), std::string::npos) << fixture.diagnostics();
}

TEST(Evaluate, SaysWhatIsWrong) {
  ExpectError("from: bare", "have no column `label`");
  ExpectError("{from: bare, label: 'x > 1'}", "nothing to measure");
  ExpectError("{from: rows, label: dest}", "job.yaml:1:");
  ExpectError("{from: rows, models: [other]}", "have no `other.probability`");
  ExpectError("{from: rows, windows: [90m]}", "90m is not");
  ExpectError("{from: rows, windows: [1001d]}", "1001d is not");
  ExpectError("{from: rows, windows: [fortnight]}", "is no window");
  ExpectError("{from: rows, every: 0s}", "`every` is from 1s");
  ExpectError("{from: rows, metrics: []}", "at least one metric");
  ExpectError("{from: rows, baselines: [prior, prior]}", "measured twice");
  ExpectError("{from: rows, baselines: [{last_label: {key: nowhere}}]}", "no column `nowhere`");
  ExpectError("{from: rows, baselines: [{rule: {name: r, when: dest}}]}", "job.yaml:1:");
}

TEST(Evaluate, ReadsWhatItMeasures) {
  OperatorFixture fixture(evaluate_definition(),
                          "{from: rows, baselines: [{last_label: {key: dest}}], windows: [month]}",
                          Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  EXPECT_EQ(fixture.plan().reads.size(), 4U);
  ASSERT_EQ(fixture.plan().timers.size(), 1U);
  EXPECT_EQ(fixture.plan().timers[0].every, kDay);
}

TEST(Evaluate, RowsItCannotUseAreCounted) {
  OperatorFixture fixture(evaluate_definition(), "{from: rows, baselines: [prior], longest_delay: 1d}",
                          Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const Time t = 100 * kDay;
  const std::vector<FixtureRow> rows = {{0, t, {"a", 0.5, kNull, t}},
                                        {0, t, {"a", kNull, true, t}},
                                        {0, t, {"a", 1.5, true, t}},
                                        {0, t, {"a", 0.5, true, t}},
                                        {0, t, {"a", 0.5, true, t - 3 * kDay}, t}};
  fixture.Feed(rows);
  EXPECT_EQ(fixture.counter("rows_without_label"), 1U);
  EXPECT_EQ(fixture.counter("rows_without_probability"), 2U);
  EXPECT_EQ(fixture.counter("predictions_too_old"), 1U);
  EXPECT_EQ(fixture.Summarize().at("models/m/examples"), 2);
  EXPECT_EQ(fixture.Summarize().at("baselines/prior/examples"), 3);
}

// A month whose last days bring nothing still ends, and nothing but what is kept for ever stays.
TEST(Evaluate, AMonthEndsWhenItsTimeIsOver) {
  OperatorFixture fixture(evaluate_definition(), "{from: rows, metrics: brier, windows: [month]}", Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const Time t = *ParseTimestamp("2024-02-10T12:00:00Z");
  const std::vector<FixtureRow> rows = {{0, t, {"a", 0.5, true, t}}};
  fixture.Feed(rows);
  fixture.FireTimers(*ParseTimestamp("2024-03-15T00:00:00Z"));
  ASSERT_EQ(fixture.emitted().size(), 3U);
  const std::vector<std::string> spans = {"run", "month", "month"};
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(fixture.At(fixture.emitted()[i], "span"), Cell(spans[i]));
  EXPECT_EQ(fixture.emitted()[0].time, *ParseTimestamp("2024-02-11T00:00:00Z"));
  EXPECT_EQ(fixture.emitted()[2].time, *ParseTimestamp("2024-03-01T00:00:00Z"));
  EXPECT_EQ(fixture.At(fixture.emitted()[2], "since"), Cell(*ParseTimestamp("2024-02-01T00:00:00Z")));
}

// However many examples a bucket gets, each changes rows of a few kilobytes.
TEST(Evaluate, RowsOfStateStayShort) {
  OperatorFixture fixture(evaluate_definition(), "{from: rows, baselines: [prior], windows: [30d]}",
                          Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  std::vector<FixtureRow> rows;
  for (int i = 0; i < 3000; ++i) {
    const Time t = 100 * kDay + i * kSecond;
    rows.push_back({0, t, {"a", 0.25, i % 3 == 0, t}});
  }
  fixture.Feed(rows);
  fixture.Commit();
  for (const auto& [key, value] : fixture.durable())
    EXPECT_LT(value.size(), 4096U);
  EXPECT_EQ(fixture.Summarize().at("models/m/examples"), 3000);
}

}  // namespace
}  // namespace freshet
