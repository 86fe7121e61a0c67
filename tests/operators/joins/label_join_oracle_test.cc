// Random streams through `label_join` against the naive join: disorder, repeated and missing and early and
// late labels, time-outs, in batches of any size, restored anywhere.
#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/operators/joins/join_oracle.h"

namespace freshet {

const Definition& label_join_definition();

namespace {

// Of one row's or timer's call, the main output comes first.
std::vector<EmittedRow> ByPort(const std::vector<EmittedRow>& rows, size_t port) {
  std::vector<EmittedRow> chosen;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(chosen),
               [port](const EmittedRow& row) { return row.port == port; });
  return chosen;
}

void ExpectResult(OperatorFixture& fixture, const JoinResult& expected) {
  for (size_t port = 0; port < 3; ++port) {
    const std::vector<EmittedRow> got = ByPort(fixture.emitted(), port);
    const std::vector<EmittedRow> want = ByPort(expected.emitted, port);
    for (size_t i = 0; i < std::min(got.size(), want.size()); ++i)
      ASSERT_EQ(got[i], want[i]) << "row " << i << " of port " << port;
    ASSERT_EQ(got.size(), want.size()) << "port " << port;
  }
  std::vector<DeadLetterRow> letters = fixture.dead_letters();
  for (DeadLetterRow& letter : letters)
    letter.detail.clear();
  std::stable_sort(letters.begin(), letters.end(),
                   [](const auto& a, const auto& b) { return a.cause < b.cause; });
  EXPECT_EQ(letters, expected.dead_letters);
  for (const std::string family :
       {"labels_unmatched", "labels_repeated", "labels_late", "labels_null", "timed_out", "corrected"}) {
    const auto found = expected.counters.find(family);
    EXPECT_EQ(fixture.counter(family), found == expected.counters.end() ? 0 : found->second) << family;
  }
}

void FeedBrokenly(OperatorFixture& fixture, const std::vector<FixtureRow>& rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  size_t committed = 0;
  for (size_t at = 0; at < rows.size();) {
    const size_t size = std::min<size_t>(1 + random() % 50, rows.size() - at);
    fixture.Feed({rows.data() + at, size}, 1 + random() % 15);
    at += size;
    if (random() % 2 == 0) {
      fixture.Commit();
      committed = at;
    }
    if (random() % 4 == 0) {
      fixture.Restore();
      at = committed;
    }
  }
}

// Rows of state where no row had a key.
size_t RowsOfNothing(const JoinCase& c, const FixtureOptions& options) {
  OperatorFixture fixture(label_join_definition(), JoinYaml(c), JoinStreams(), options);
  const std::vector<FixtureRow> rows{{1, 10, {kNull, 1.0, kNull}}};
  fixture.Feed(rows);
  fixture.Commit();
  return fixture.durable().size();
}

class LabelJoinOracle : public testing::TestWithParam<uint64_t> {};

TEST_P(LabelJoinOracle, AsByTheNaiveJoin) {
  const JoinCase c = MakeJoinCase(GetParam(), 600);
  SCOPED_TRACE(JoinYaml(c));
  const JoinResult expected = JoinNaively(c);
  FixtureOptions options;
  options.shards = GetParam() % 2 == 0 ? 3 : 1;
  std::optional<OperatorFixture::Durable> state;
  for (const size_t cut : {size_t{1}, size_t{7}, OperatorFixture::kWhole, size_t{0}}) {
    SCOPED_TRACE(cut);
    OperatorFixture fixture(label_join_definition(), JoinYaml(c), JoinStreams(), options);
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    cut == 0 ? FeedBrokenly(fixture, c.rows, GetParam() + 1) : fixture.Feed(c.rows, cut);
    fixture.FireTimers(c.rows.back().watermark);
    fixture.Commit();
    if (!state) state = fixture.durable();
    EXPECT_TRUE(*state == fixture.durable()) << "the state hangs on how rows were cut";
    fixture.FireTimers(kMaxTime);
    ASSERT_NO_FATAL_FAILURE(ExpectResult(fixture, expected));
    fixture.Commit();
    // What is known of early labels stays, in each shard that had some.
    const size_t left = fixture.durable().size() - RowsOfNothing(c, options);
    EXPECT_GE(left, expected.held_early ? 1U : 0U);
    EXPECT_LE(left, expected.held_early ? options.shards : 0U) << "every entry and timer goes in the end";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LabelJoinOracle, testing::Range<uint64_t>(1, 121));

// The cases together must reach every way a row can go.
TEST(LabelJoinCases, ReachEverything) {
  std::map<std::string, uint64_t> counters;
  std::set<size_t> ports;
  uint64_t repeated = 0;
  for (uint64_t seed = 1; seed < 121; ++seed) {
    const JoinResult result = JoinNaively(MakeJoinCase(seed, 600));
    for (const auto& [family, count] : result.counters)
      counters[family] += count;
    for (const EmittedRow& row : result.emitted)
      ports.insert(row.port);
    for (const DeadLetterRow& letter : result.dead_letters)
      repeated += letter.reason == "repeated_prediction" ? 1 : 0;
  }
  for (const std::string family :
       {"labels_unmatched", "labels_repeated", "labels_late", "labels_null", "timed_out", "corrected"}) {
    EXPECT_GT(counters[family], 100U) << family;
  }
  EXPECT_GT(repeated, 100U);
  EXPECT_EQ(ports.size(), 3U);
}

}  // namespace
}  // namespace freshet
