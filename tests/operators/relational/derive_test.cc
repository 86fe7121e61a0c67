#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& derive_definition();

namespace {

Named<Schema> Streams() {
  return {{"events",
           Schema({{"a", Type::kFloat64, {}}, {"b", Type::kFloat64, {}}, {"s", Type::kString, {"u", "v"}}})}};
}

std::vector<FixtureRow> Rows() {
  return {{0, 10, {1.0, 10.0, "u"}}, {0, 20, {2.0, kNull, "v"}}, {0, 30, {3.0, 30.0, kNull}}};
}

using Cells = std::vector<Cell>;

std::vector<std::string> Names(const OperatorFixture& fixture) {
  std::vector<std::string> names;
  for (const Field& field : fixture.schema().fields())
    names.push_back(field.name);
  return names;
}
using Strings = std::vector<std::string>;

std::vector<Cell> Column(const OperatorFixture& fixture, std::string_view name) {
  std::vector<Cell> values;
  for (const EmittedRow& row : fixture.emitted())
    values.push_back(fixture.At(row, name));
  return values;
}

TEST(Derive, AddsColumnsThatMayUseOneAnotherInAnyOrder) {
  OperatorFixture fixture(derive_definition(),
                          "{from: events, fields: {late: 'early + 1', early: 'a * 2', last: 'late + early'}}",
                          Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  fixture.Feed(Rows());
  EXPECT_EQ(Names(fixture), (Strings{"a", "b", "s", "late", "early", "last"}));
  EXPECT_EQ(Column(fixture, "early"), (Cells{2.0, 4.0, 6.0}));
  EXPECT_EQ(Column(fixture, "late"), (Cells{3.0, 5.0, 7.0}));
  EXPECT_EQ(Column(fixture, "last"), (Cells{5.0, 9.0, 13.0}));
  EXPECT_EQ(Column(fixture, "s"), (Cells{"u", "v", kNull}));
  EXPECT_EQ(fixture.schema()[2].values, (Strings{"u", "v"})) << "what is passed on keeps its closed set";
}

TEST(Derive, ReplacesAColumnAndReadsTheOldOne) {
  OperatorFixture fixture(derive_definition(), "{from: events, fields: {a: 'a + 100', c: 'a - b'}}",
                          Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  fixture.Feed(Rows());
  EXPECT_EQ(Names(fixture), (Strings{"a", "b", "s", "c"}));
  EXPECT_EQ(Column(fixture, "a"), (Cells{101.0, 102.0, 103.0}));
  EXPECT_EQ(Column(fixture, "c"), (Cells{91.0, kNull, 73.0})) << "other fields read the new one";
}

TEST(Derive, KeepsAndDropsColumnsOfTheInput) {
  OperatorFixture keep(derive_definition(), "{from: events, keep: [s], fields: {c: 'a + b'}}", Streams());
  ASSERT_TRUE(keep.ok()) << keep.diagnostics();
  keep.Feed(Rows());
  EXPECT_EQ(Names(keep), (Strings{"s", "c"}));
  EXPECT_EQ(Column(keep, "c"), (Cells{11.0, kNull, 33.0}));
  OperatorFixture drop(derive_definition(), "{from: events, drop: [a, s]}", Streams());
  ASSERT_TRUE(drop.ok()) << drop.diagnostics();
  drop.Feed(Rows());
  EXPECT_EQ(Names(drop), (Strings{"b"}));
  EXPECT_EQ(Column(drop, "b"), (Cells{10.0, kNull, 30.0}));
}

TEST(Derive, LineageGoesThroughOtherFields) {
  OperatorFixture fixture(
      derive_definition(),
      "{from: events, keep: [s], fields: {outer: 'inner + b', inner: 'a * 2', flat: '1.0'}}", Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const std::vector<Derivation>& derivations = fixture.plan().outputs[0].derivations;
  ASSERT_EQ(derivations.size(), 4U);
  const auto columns = [](const std::vector<ColumnRef>& refs) {
    std::vector<size_t> found;
    for (const ColumnRef& ref : refs)
      found.push_back(ref.column);
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(columns(derivations[0].current), (std::vector<size_t>{2}));
  EXPECT_EQ(columns(derivations[1].current), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(columns(derivations[1].reads), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(columns(derivations[2].current), (std::vector<size_t>{0}));
  EXPECT_TRUE(derivations[3].reads.empty());
  EXPECT_TRUE(fixture.plan().reads.empty()) << "nothing is read but for its outputs";
}

TEST(Derive, FaultsNameTheirPlaceAndRemedy) {
  const auto faults = [](std::string_view yaml) {
    OperatorFixture fixture(derive_definition(), yaml, Streams());
    EXPECT_FALSE(fixture.ok());
    return fixture.diagnostics();
  };
  std::string text = faults("from: events\nfields:\n  p: q + 1\n  q: r\n  r: p\n  t: p + 1\n");
  EXPECT_NE(text.find("job.yaml:3:6: `p` is computed from itself, through `q`, `r`"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("`t`"), std::string::npos) << "only the circle is reported: " << text;
  text = faults("from: events\nfields:\n  p: aa + 1\n  a-b: a\n");
  EXPECT_NE(text.find("job.yaml:3:6: "), std::string::npos) << text;
  EXPECT_NE(text.find("job.yaml:4:3: `a-b` cannot be a column's name"), std::string::npos) << text;
  text = faults("from: events\nkeep: [a]\ndrop: [bb]\n");
  EXPECT_NE(text.find("job.yaml:3:8: "), std::string::npos) << text;
  EXPECT_NE(text.find("job.yaml:3:7: give either `keep` or `drop`"), std::string::npos) << text;
  text = faults("from: events\n");
  EXPECT_NE(text.find("give `fields`, `keep` or `drop`"), std::string::npos) << text;
}

}  // namespace
}  // namespace freshet
