// What `features` promises, case by case; features_oracle_test.cc has the arithmetic.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& features_definition();

namespace {

Named<Schema> Streams() {
  return {{"events", Schema({{"key", Type::kString, {}},
                             {"t", Type::kTimestamp, {}},
                             {"x", Type::kFloat64, {}},
                             {"n", Type::kInt64, {}},
                             {"s", Type::kString, {}}})},
          {"labels", Schema({{"place", Type::kString, {}}, {"y", Type::kFloat64, {}}})}};
}

FixtureRow Event(Time time, Cell key, Cell x, Time watermark = kMinTime) {
  return {0, time, {std::move(key), time, std::move(x), kNull, "text"}, watermark};
}
FixtureRow Label(Time time, std::string place, double y) {
  return {1, time, {std::move(place), y}};
}

class Replay {
 public:
  explicit Replay(std::string_view yaml, std::vector<FixtureRow> rows = {})
      : fixture_(features_definition(), yaml, Streams()) {
    EXPECT_TRUE(fixture_.ok()) << fixture_.diagnostics();
    if (fixture_.ok()) fixture_.Feed(rows);
  }
  std::vector<Cell> Column(std::string_view name) const {
    std::vector<Cell> values;
    for (const EmittedRow& row : fixture_.emitted()) {
      if (row.port == 0) values.push_back(fixture_.At(row, name));
    }
    return values;
  }
  OperatorFixture& fixture() { return fixture_; }

 private:
  OperatorFixture fixture_;
};

using Cells = std::vector<Cell>;
Cell Int(int64_t value) {
  return value;
}

TEST(Features, TheWindowIsOpenBelowAndHoldsItsRow) {
  Replay run(
      "{from: events, key: key, features: {rows: {count: '*', window: 10s}, total: {sum: x, window: 10s}}}",
      {Event(0, "a", 1.0), Event(5 * kSecond, "a", 2.0), Event(10 * kSecond, "a", 4.0),
       Event(15 * kSecond - 1, "b", 8.0), Event(15 * kSecond - 1, "a", 16.0)});
  EXPECT_EQ(run.Column("rows"), (Cells{Int(1), Int(2), Int(2), Int(1), Int(3)}));
  EXPECT_EQ(run.Column("total"), (Cells{1.0, 3.0, 6.0, 8.0, 22.0}));
  EXPECT_EQ(run.Column("s"), (Cells{"text", "text", "text", "text", "text"})) << "the row itself goes on";
}

TEST(Features, ExcludeCurrentLeavesTheRowOut) {
  Replay run(
      "{from: events, key: key, exclude_current: true, features: {rows: {count: '*', window: 10s}, "
      "mean_x: {mean: x, window: 10s}}}",
      {Event(0, "a", 1.0), Event(0, "a", 3.0), Event(kSecond, "a", 5.0)});
  EXPECT_EQ(run.Column("rows"), (Cells{Int(0), Int(1), Int(2)}));
  EXPECT_EQ(run.Column("mean_x"), (Cells{kNull, 1.0, 2.0})) << "empty: count 0, else null";
}

TEST(Features, TiesCountOnlyWhereTheyAreIncluded) {
  const std::vector<FixtureRow> rows = {Event(kSecond, "a", 1.0), Event(kSecond, "a", 2.0),
                                        Event(kSecond, "a", 4.0), Event(2 * kSecond, "a", 8.0)};
  Replay include("{from: events, key: key, features: {f: {sum: x, window: 10s}}}", rows);
  EXPECT_EQ(include.Column("f"), (Cells{1.0, 3.0, 7.0, 15.0}));
  Replay exclude("{from: events, key: key, ties: exclude, features: {f: {sum: x, window: 10s}}}", rows);
  EXPECT_EQ(exclude.Column("f"), (Cells{1.0, 2.0, 4.0, 15.0})) << "the row itself still counts";
  Replay strict(
      "{from: events, key: key, ties: exclude, exclude_current: true, features: {f: {sum: x, window: 10s}}}",
      rows);
  EXPECT_EQ(strict.Column("f"), (Cells{kNull, kNull, kNull, 7.0}));
}

TEST(Features, ARowSeesOnlyWhatCameBeforeItAndIsNotStampedLater) {
  Replay run("{from: events, key: key, features: {f: {sum: x, window: 10s}}}",
             {Event(5 * kSecond, "a", 1.0), Event(3 * kSecond, "a", 2.0), Event(5 * kSecond, "a", 4.0)});
  EXPECT_EQ(run.Column("f"), (Cells{1.0, 2.0, 7.0}));
}

TEST(Features, NullArgumentsAndConditionsDoNotCount) {
  Replay run(
      "{from: events, key: key, features: {rows: {count: '*', window: 10s}, values: {count: x, window: 10s}, "
      "big: {count: '*', window: 10s, where: 'x > 1'}, least: {min: x, window: 10s, where: 'x > 1'}}}",
      {Event(0, "a", kNull), Event(1, "a", 1.0), Event(2, "a", 2.0), Event(3, "a", kNull)});
  EXPECT_EQ(run.Column("rows"), (Cells{Int(1), Int(2), Int(3), Int(4)}));
  EXPECT_EQ(run.Column("values"), (Cells{Int(0), Int(1), Int(2), Int(2)}));
  EXPECT_EQ(run.Column("big"), (Cells{Int(0), Int(0), Int(1), Int(1)}));
  EXPECT_EQ(run.Column("least"), (Cells{kNull, kNull, 2.0, 2.0}));
}

TEST(Features, OverSeesAnotherStreamByItsOwnKey) {
  Replay run(
      "{from: events, over: labels, key: {from: key, over: place}, features: {got: {mean: y, window: 10s}}}",
      {Event(0, "a", 1.0), Label(0, "a", 10), Label(kSecond, "b", 20), Event(kSecond, "a", 1.0),
       Label(2 * kSecond, "a", 30), Event(2 * kSecond, "a", 1.0), Event(2 * kSecond, "b", 1.0)});
  EXPECT_EQ(run.Column("got"), (Cells{kNull, 10.0, 20.0, 20.0}));
}

TEST(Features, ARowWithoutAKeyIsADeadLetter) {
  Replay run("{from: events, key: [key, n], features: {rows: {count: '*', window: 10s}}}",
             {Event(0, "a", 1.0), {0, 1, {"a", Time{1}, 1.0, int64_t{7}, kNull}}});
  EXPECT_EQ(run.fixture().emitted().size(), 1U);
  ASSERT_EQ(run.fixture().dead_letters().size(), 1U);
  EXPECT_EQ(run.fixture().dead_letters()[0].cause, 0);
  EXPECT_EQ(run.fixture().dead_letters()[0].reason, "missing_key");
}

constexpr Time kW = 100 * kSecond;  // a watermark

std::vector<FixtureRow> LateRows() {
  return {Event(99 * kSecond, "a", 1.0), Event(96 * kSecond, "a", 2.0, kW),  // within allowed_lateness
          Event(94 * kSecond, "a", 4.0, kW),                                 // late
          Event(100 * kSecond, "a", 8.0, kW),
          Event(70 * kSecond, "a", 16.0, kW)};  // late, and its tile is gone
}

TEST(Features, LateRowsAreAddedButSeeOnlyWindowsThatAreWhole) {
  Replay run(
      "{from: events, key: key, allowed_lateness: 5s, features: {long: {sum: x, window: 20s}, "
      "short: {sum: x, window: 5s}}}",
      LateRows());
  // At 94 s the 20 s window reaches back to 74 s, where rows may be gone (100 - 20 - 5); the short one does
  // not.
  EXPECT_EQ(run.Column("long"), (Cells{1.0, 2.0, kNull, 15.0, kNull}));
  EXPECT_EQ(run.Column("short"), (Cells{1.0, 2.0, 4.0, 11.0, kNull}));
  EXPECT_EQ(run.fixture().counter("late_rows"), 2U);
  EXPECT_EQ(run.fixture().counter("gone_windows"), 3U);
}

TEST(Features, LateRowsAreDroppedOrPutAsideAsAsked) {
  const std::string features = "features: {rows: {count: '*', window: 20s}}}";
  Replay drop("{from: events, key: key, allowed_lateness: 5s, late: drop, " + features, LateRows());
  EXPECT_EQ(drop.Column("rows"), (Cells{Int(1), Int(1), Int(3)}));
  EXPECT_EQ(drop.fixture().counter("late_rows"), 2U);
  EXPECT_EQ(drop.fixture().plan().outputs.size(), 1U);

  Replay side("{from: events, key: key, allowed_lateness: 5s, late: side, " + features, LateRows());
  EXPECT_EQ(side.Column("rows"), (Cells{Int(1), Int(1), Int(3)}));
  ASSERT_EQ(side.fixture().plan().outputs.size(), 2U);
  EXPECT_EQ(side.fixture().plan().outputs[1].name, "late");
  EXPECT_EQ(side.fixture().schema(1), Streams()[0].second);
  std::vector<int64_t> aside;
  for (const EmittedRow& row : side.fixture().emitted()) {
    if (row.port == 1) aside.push_back(row.cause);
  }
  EXPECT_EQ(aside, (std::vector<int64_t>{2, 4}));
}

// The default is to include them, so a late row of `over` still counts for rows after it.
TEST(Features, ALateRowOfOverCountsWhileItsTileIsThere) {
  FixtureRow late = Label(90 * kSecond, "a", 5);
  late.watermark = kW;
  Replay run(
      "{from: events, over: labels, key: {from: key, over: place}, features: {got: {sum: y, window: 20s}}}",
      {Label(95 * kSecond, "a", 1), late, Event(101 * kSecond, "a", kNull, kW)});
  EXPECT_EQ(run.Column("got"), (Cells{6.0}));
  EXPECT_EQ(run.fixture().counter("late_rows"), 1U);
}

TEST(Features, AHotKeySealsChunksAndStaysExact) {
  std::vector<FixtureRow> rows;
  constexpr int64_t kRows = 3'000;
  for (int64_t i = 0; i < kRows; ++i)
    rows.push_back(Event(1'000'000 + i, "a", static_cast<double>(i)));  // one tile
  rows.push_back(Event(1'000'000 + 1'500, "a", 0.0));
  Replay run(
      "{from: events, key: key, features: {rows: {count: '*', window: 1h}, most: {max: x, window: 1h}}}",
      rows);
  EXPECT_EQ(run.Column("rows").back(), Int(1'502));
  EXPECT_EQ(run.Column("most").back(), Cell(1'500.0));
  EXPECT_EQ(run.Column("rows")[kRows - 1], Int(kRows));
  run.fixture().Commit();
  size_t largest = 0;
  for (const auto& [key, value] : run.fixture().durable())
    largest = std::max(largest, value.size());
  EXPECT_LT(largest, 4'500U) << "a row of state holds at most a chunk";
  run.fixture().Restore();
  const std::vector<FixtureRow> again = {Event(1'000'000 + 700, "a", -1.0)};
  run.fixture().Feed(again);
  EXPECT_EQ(run.Column("rows").back(), Int(702));
}

// More tiles between a key's oldest and newest than a head can list.
TEST(Features, ALongLatenessKeepsFarTiles) {
  const std::string yaml =
      "{from: events, key: key, allowed_lateness: 30d, features: {f: {sum: x, window: 1h}}}";
  const Time now = 100 * kDay;
  Replay run(yaml,
             {Event(now, "a", 1.0), Event(now + 10 * kDay, "a", 2.0), Event(now + 30 * kMinute, "a", 4.0),
              Event(now + 20 * kDay, "a", 8.0), Event(now + 10 * kDay + kMinute, "a", 16.0)});
  EXPECT_EQ(run.Column("f"), (Cells{1.0, 2.0, 5.0, 8.0, 18.0}));
  run.fixture().FireTimers(now + 31 * kDay);
  const std::vector<FixtureRow> more = {Event(now + 10 * kDay + 2 * kMinute, "a", 32.0, now + 31 * kDay),
                                        Event(now + 20 * kDay + kMinute, "a", 64.0, now + 31 * kDay)};
  run.fixture().Feed(more);
  EXPECT_EQ(run.Column("f")[5], Cell(50.0));
  EXPECT_EQ(run.Column("f")[6], Cell(72.0));
}

TEST(Features, StateMadeForOtherFeaturesIsRefused) {
  const auto layout = [](std::string_view yaml) {
    OperatorFixture fixture(features_definition(), yaml, Streams());
    EXPECT_TRUE(fixture.ok()) << fixture.diagnostics();
    return fixture.plan().tables[0].layout;
  };
  const uint32_t plain = layout("{from: events, key: key, features: {f: {sum: x, window: 1h}}}");
  EXPECT_EQ(layout("{from: events, key: key, features: {renamed: {sum: x, window: 1h}}}"), plain);
  EXPECT_NE(layout("{from: events, key: key, features: {f: {mean: x, window: 1h}}}"), plain);
  EXPECT_NE(layout("{from: events, key: key, features: {f: {sum: n, window: 1h}}}"), plain);
  EXPECT_NE(layout("{from: events, key: key, features: {f: {sum: x, window: 2h}}}"), plain);
  EXPECT_NE(layout("{from: events, key: key, features: {f: {sum: x, window: 1h, where: 'n > 1'}}}"), plain);
  EXPECT_NE(layout("{from: events, key: key, allowed_lateness: 1m, features: {f: {sum: x, window: 1h}}}"),
            plain);
}

// --- planning ---

std::vector<size_t> Columns(const std::vector<ColumnRef>& refs) {
  std::vector<size_t> columns;
  for (const ColumnRef& ref : refs)
    columns.push_back(ref.column);
  return columns;
}
using Sizes = std::vector<size_t>;

TEST(Features, LineageFollowsTheCurrentRowOnly) {
  const std::string features =
      "features: {rows: {count: '*', window: 1h}, f: {sum: 'x + n', window: 1h}, "
      "g: {count: '*', window: 1h, where: 'x > 1'}}}";
  Replay with("{from: events, key: key, " + features);
  const std::vector<Derivation>& own = with.fixture().plan().outputs[0].derivations;
  ASSERT_EQ(own.size(), 8U);
  EXPECT_EQ(Columns(own[2].current), Sizes{2}) << "columns passed on derive from themselves";
  EXPECT_TRUE(own[5].current.empty());
  EXPECT_TRUE(own[5].event_time);
  EXPECT_EQ(Columns(own[6].current), (Sizes{2, 3}));
  EXPECT_FALSE(own[6].event_time);
  EXPECT_EQ(Columns(own[7].current), Sizes{2});
  EXPECT_TRUE(own[7].event_time);

  Replay without("{from: events, key: key, exclude_current: true, " + features);
  for (size_t i = 5; i < 8; ++i) {
    const Derivation& derivation = without.fixture().plan().outputs[0].derivations[i];
    EXPECT_TRUE(derivation.current.empty());
    EXPECT_FALSE(derivation.event_time);
    EXPECT_EQ(Columns(derivation.reads), Columns(own[i].reads)) << "still read";
  }

  Replay over(
      "{from: events, over: labels, key: {from: key, over: place}, features: {got: {mean: y, window: 1h}}}");
  const Derivation& y = over.fixture().plan().outputs[0].derivations[5];
  EXPECT_TRUE(y.current.empty());
  EXPECT_FALSE(y.event_time);
  ASSERT_EQ(y.reads.size(), 1U);
  EXPECT_EQ(y.reads[0].port, 1U);
}

TEST(Features, ReadsKeysArgumentsAndConditions) {
  Replay run(
      "{from: events, over: labels, key: {from: key, over: place}, features: {got: {mean: y, window: 1h}}}");
  std::vector<std::pair<size_t, size_t>> reads;
  for (const ColumnRef& ref : run.fixture().plan().reads)
    reads.emplace_back(ref.port, ref.column);
  std::sort(reads.begin(), reads.end());
  EXPECT_EQ(reads, (std::vector<std::pair<size_t, size_t>>{{0, 0}, {1, 0}, {1, 1}}));
}

std::string Faults(std::string_view yaml) {
  OperatorFixture fixture(features_definition(), yaml, Streams());
  EXPECT_FALSE(fixture.ok());
  return fixture.diagnostics();
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
#define EXPECT_HAS(text, part) EXPECT_TRUE(Has(text, part)) << text

TEST(Features, FaultsNameTheirPlaceAndRemedy) {
  std::string text =
      Faults("from: events\nkey: key\nfeatures:\n  f: {meen: x, window: 1h}\n  g: {sum: x, window: 1h}\n");
  EXPECT_HAS(text, "job.yaml:4:13: unknown aggregate `meen`; did you mean `mean`?");

  text = Faults(
      "from: events\nkey: key\nfeatures:\n  f: {mean: xx, window: 1h}\n  g: {sum: s, window: 1h}\n"
      "  h: {sum: '*', window: 1h}\n  i: {window: 1h}\n  j: {sum: x, mean: x, window: 1h}\n"
      "  x: {sum: x, window: 0s}\n  k: {sum: [x], window: 1h}\n  l: {sum: x, window: 1h, where: x}\n");
  EXPECT_HAS(text, "job.yaml:4:13: ");
  EXPECT_HAS(text, "job.yaml:5:12: `sum` takes a number, a bool or a duration; this is a string");
  EXPECT_HAS(text, "job.yaml:6:12: `sum` needs a column or an expression; only `count` takes \"*\"");
  EXPECT_HAS(text, "job.yaml:7:6: feature `i` has no aggregate");
  EXPECT_HAS(text, "job.yaml:8:21: feature `j` has two aggregates, `sum` and `mean`");
  EXPECT_HAS(text, "job.yaml:9:3: `x` is already a column of `events`");
  EXPECT_HAS(text, "job.yaml:9:23: a window is longer than 0s");
  EXPECT_HAS(text, "job.yaml:10:12: `sum` takes a column or an expression, not a list");
  EXPECT_HAS(text, "job.yaml:11:");
}

TEST(Features, FaultsOfTheFrame) {
  std::string text =
      Faults("from: events\nkey: keyy\nfeatures: {f: {sum: x, window: 1h}}\nallowed_lateness: 100000d\n");
  EXPECT_HAS(text, "job.yaml:2:6: ");
  EXPECT_HAS(text, "did you mean `key`?");
  EXPECT_HAS(text, "job.yaml:4:19: `allowed_lateness` is at most 36525d");
  text = Faults(
      "from: events\nover: labels\nkey: {from: key, over: y}\nfeatures: {f: {sum: y, window: 1h}}\n"
      "exclude_current: true\n");
  EXPECT_HAS(text, "job.yaml:3:6: the keys of `events` and `labels` must have the same number of fields");
  EXPECT_HAS(text, "job.yaml:5:18: `exclude_current` says nothing with `over:`");
  text = Faults("from: events\nkey: {over: key}\nfeatures: {f: {sum: x, window: 1h}}\n");
  EXPECT_HAS(text, "job.yaml:2:6: `key` names the input `over`, which this operator does not have");
  EXPECT_HAS(text, "job.yaml:2:6: `key` names no field of `from`");
  EXPECT_HAS(Faults("from: events\nkey: key\nfeatures: {}\n"), "job.yaml:3:11: give at least one feature");
  EXPECT_HAS(Faults("from: events\nkey: key\nfeatures: {f: {sum: x}}\n"),
             "job.yaml:3:15: the key `window` is missing");
}

}  // namespace
}  // namespace freshet
