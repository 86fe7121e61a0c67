#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& filter_definition();

namespace {

Named<Schema> Streams() {
  return {{"events", Schema({{"a", Type::kFloat64, {}}, {"s", Type::kString, {}}})}};
}

TEST(Filter, KeepsRowsForWhichTheConditionIsTrue) {
  const std::vector<FixtureRow> rows = {{0, 10, {1.0, "u"}},
                                        {0, 20, {5.0, "v"}},
                                        {0, 30, {kNull, "w"}},
                                        {0, 40, {6.0, kNull}},
                                        {0, 50, {2.0, "x"}}};
  for (const size_t cut : {size_t{1}, size_t{2}, OperatorFixture::kWhole}) {
    OperatorFixture fixture(filter_definition(), "{from: events, where: 'a > 3'}", Streams());
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    fixture.Feed(rows, cut);
    const std::vector<EmittedRow> expected = {{0, 20, 1, {5.0, "v"}}, {0, 40, 3, {6.0, kNull}}};
    EXPECT_EQ(fixture.emitted(), expected);
  }
}

TEST(Filter, ReadsItsConditionWhoeverReadsItsOutput) {
  OperatorFixture fixture(filter_definition(), "{from: events, where: 'a > 3'}", Streams());
  ASSERT_TRUE(fixture.ok());
  ASSERT_EQ(fixture.plan().reads.size(), 1U);
  EXPECT_EQ(fixture.plan().reads[0].column, 0U);
  EXPECT_EQ(fixture.schema(), Streams()[0].second);
}

TEST(Filter, AConditionIsABool) {
  OperatorFixture fixture(filter_definition(), "from: events\nwhere: a + 1\n", Streams());
  EXPECT_FALSE(fixture.ok());
  EXPECT_NE(fixture.diagnostics().find("job.yaml:2:"), std::string::npos) << fixture.diagnostics();
}

}  // namespace
}  // namespace freshet
