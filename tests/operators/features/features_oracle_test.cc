// Random rows through `features`, against a plain scan of all rows before each: windows of several sizes,
// ties, disorder, late rows, nulls, `where`, `over`, in batches of any size, restored anywhere.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& features_definition();

namespace {

struct Event {  // as the oracle sees a row
  size_t port = 0;
  Time time = 0;
  Time watermark = kMinTime;
  std::string key;
  std::optional<double> x;
  std::optional<int64_t> n;
};

struct Wanted {  // a feature, twice: as text and as plain functions
  std::string yaml;
  std::string aggregate;
  Duration window = 0;
  std::function<std::optional<double>(const Event&)> argument;
  std::function<bool(const Event&)> where;
  bool integer = false;  // the result's type
};

struct Case {
  bool over = false;
  bool exclude_current = false;
  bool exclude_ties = false;
  std::string late = "include";
  Duration lateness = 0;
  Duration disorder = 0;          // of the rows
  Duration out_of_orderness = 0;  // as the watermark believes
  std::vector<Wanted> features;
  std::vector<Event> events;
};

using Random = std::mt19937_64;
int64_t Pick(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
}
bool Chance(Random& random, int percent) {
  return Pick(random, 1, 100) <= percent;
}
template <class T>
const T& OneOf(Random& random, const std::vector<T>& all) {
  return all[static_cast<size_t>(Pick(random, 0, static_cast<int64_t>(all.size()) - 1))];
}

std::optional<double> FloatOf(std::optional<int64_t> n) {
  return n ? std::optional<double>(static_cast<double>(*n)) : std::nullopt;
}

Wanted MakeFeature(Random& random, size_t number, Duration window) {
  Wanted w;
  w.window = window;
  w.aggregate = OneOf<std::string>(random, {"count", "sum", "mean", "min", "max"});
  std::string argument;
  const int64_t kind = Pick(random, w.aggregate == "count" ? 0 : 1, 3);
  if (kind == 0) {
    argument = "\"*\"";
    w.argument = [](const Event&) { return std::optional<double>(1); };
  } else if (kind == 1) {
    argument = "x";
    w.argument = [](const Event& e) { return e.x; };
  } else if (kind == 2) {
    argument = "n";
    w.argument = [](const Event& e) { return FloatOf(e.n); };
  } else {
    argument = "\"x * 2 + n\"";
    w.argument = [](const Event& e) {
      return e.x && e.n ? std::optional<double>(*e.x * 2 + static_cast<double>(*e.n)) : std::nullopt;
    };
  }
  w.integer = w.aggregate == "count" || (kind == 2 && w.aggregate != "mean");
  w.where = [](const Event&) { return true; };
  std::string where;
  const int64_t condition = Pick(random, 0, 3);
  if (condition == 1) {
    where = ", where: \"x > 0\"";
    w.where = [](const Event& e) { return e.x && *e.x > 0; };
  } else if (condition == 2) {
    where = ", where: \"n < 3\"";
    w.where = [](const Event& e) { return e.n && *e.n < 3; };
  }
  w.yaml = "f" + std::to_string(number) + ": {" + w.aggregate + ": " + argument +
           ", window: " + FormatDuration(window) + where + "}";
  return w;
}

Case MakeCase(uint64_t seed, size_t rows) {
  Random random(seed);
  Case c;
  c.over = Chance(random, 40);
  c.exclude_current = !c.over && Chance(random, 50);
  c.exclude_ties = Chance(random, 40);
  c.late = OneOf<std::string>(random, {"include", "include", "drop", "side"});
  // Windows of a few microseconds meet every edge there is.
  const std::vector<Duration> tiny = {5, 12, 40, 100, 2'000};
  const std::vector<Duration> usual = {10 * kSecond, kMinute, 10 * kMinute, kHour, 3 * kHour, kDay, 7 * kDay};
  const std::vector<Duration>& lengths = Chance(random, 20) ? tiny : usual;
  std::vector<Duration> windows;
  const int64_t count = Pick(random, 1, 5);
  for (int64_t i = 0; i < count; ++i)
    windows.push_back(OneOf(random, lengths));
  const int64_t features = Pick(random, count, count + 3);
  for (int64_t i = 0; i < features; ++i) {
    c.features.push_back(MakeFeature(random, static_cast<size_t>(i),
                                     i < count ? windows[static_cast<size_t>(i)] : OneOf(random, windows)));
  }
  const Duration largest = *std::max_element(windows.begin(), windows.end());
  if (Chance(random, 50)) c.lateness = largest / Pick(random, 1, 20);
  // Dense rows fill chunks; sparse ones leave tiles out, the sparsest more than a head can list.
  const Duration gap = std::max<Duration>(1, largest / OneOf<int64_t>(random, {2, 20, 200, 1'000, 20'000}));
  c.disorder = Chance(random, 60) ? gap * Pick(random, 1, 30) : 0;
  c.out_of_orderness = Chance(random, 70) ? c.disorder : c.disorder / 4;
  const int64_t keys = OneOf<int64_t>(random, {1, 1, 3, 8});
  Time now = OneOf<Time>(random, {0, 1'700'000'000 * kSecond, -5'000'000 * kSecond});
  Time last = now;
  // On a grid, rows meet the edges of windows and tiles.
  const Duration grid =
      Chance(random, 50) ? std::max<Duration>(1, *std::min_element(windows.begin(), windows.end()) / 4) : 1;
  for (size_t i = 0; i < rows; ++i) {
    Event e;
    now += Chance(random, 30) ? 0 : Pick(random, 0, 2 * gap);
    if (Chance(random, 1)) now += largest * Pick(random, 1, 6);
    e.port = c.over && Chance(random, 50) ? 1 : 0;
    e.time = Chance(random, 20) ? last : now - (c.disorder > 0 ? Pick(random, 0, c.disorder) : 0);
    e.time = FloorTo(e.time, grid);
    last = e.time;
    e.key = std::string("k\0", 2) + std::to_string(Pick(random, 1, keys));
    if (Chance(random, 85)) e.x = static_cast<double>(Pick(random, -20, 20)) / 4;
    if (Chance(random, 85)) e.n = Pick(random, -5, 9);
    c.events.push_back(std::move(e));
  }
  return c;
}

std::string Yaml(const Case& c) {
  std::string yaml = "from: events\n";
  yaml += c.over ? "over: labels\nkey: {from: key, over: place}\n" : "key: key\n";
  if (c.exclude_current) yaml += "exclude_current: true\n";
  if (c.exclude_ties) yaml += "ties: exclude\n";
  yaml += "late: " + c.late + "\nallowed_lateness: " + FormatDuration(c.lateness) + "\nfeatures:\n";
  for (const Wanted& w : c.features)
    yaml += "  " + w.yaml + "\n";
  return yaml;
}

Named<Schema> Streams() {
  return {
      {"events", Schema({{"key", Type::kString, {}}, {"x", Type::kFloat64, {}}, {"n", Type::kInt64, {}}})},
      {"labels", Schema({{"n", Type::kInt64, {}}, {"place", Type::kString, {}}, {"x", Type::kFloat64, {}}})}};
}

std::vector<FixtureRow> RowsOf(Case& c) {
  std::vector<FixtureRow> rows;
  for (const Event& e : c.events) {
    const Cell x = e.x ? Cell(*e.x) : Cell();
    const Cell n = e.n ? Cell(*e.n) : Cell();
    rows.push_back(
        {e.port, e.time, e.port == 0 ? std::vector<Cell>{e.key, x, n} : std::vector<Cell>{n, e.key, x}});
  }
  RunWatermarks(rows, c.over ? 2 : 1, c.out_of_orderness);
  for (size_t i = 0; i < rows.size(); ++i)
    c.events[i].watermark = rows[i].watermark;
  return rows;
}

// --- the oracle ---

bool IsLate(const Case& c, const Event& e) {
  return e.watermark > kMinTime + c.lateness && e.time < e.watermark - c.lateness;
}

// The largest window that shares tiles with `window`: groups begin at the smallest and span a factor of 24.
Duration LargestBeside(const Case& c, Duration window) {
  std::set<Duration> all;
  for (const Wanted& w : c.features)
    all.insert(w.window);
  Duration first = 0, largest = 0;
  bool found = false;
  for (const Duration w : all) {
    if (first == 0 || w > 24 * first) {
      if (found) break;
      first = w;
    }
    largest = w;
    found = found || w == window;
  }
  return largest;
}

Cell Value(const Case& c, const Wanted& w, size_t at) {
  const Event& current = c.events[at];
  if (current.watermark != kMinTime &&
      current.time - w.window < current.watermark - LargestBeside(c, w.window) - c.lateness) {
    return {};
  }
  std::vector<double> values;
  const auto see = [&](const Event& e) {
    if (e.key == current.key && w.where(e) && w.argument(e)) values.push_back(*w.argument(e));
  };
  for (size_t i = 0; i < at; ++i) {
    const Event& e = c.events[i];
    if (e.port != (c.over ? 1U : 0U) || (c.late != "include" && IsLate(c, e))) continue;
    if (e.time <= current.time - w.window || e.time > current.time) continue;
    if (c.exclude_ties && e.time == current.time) continue;
    see(e);
  }
  if (!c.over && !c.exclude_current) see(current);
  if (w.aggregate == "count") return static_cast<int64_t>(values.size());
  if (values.empty()) return {};
  double result = 0;
  if (w.aggregate == "min") {
    result = *std::min_element(values.begin(), values.end());
  } else if (w.aggregate == "max") {
    result = *std::max_element(values.begin(), values.end());
  } else {
    for (const double v : values)
      result += v;
    if (w.aggregate == "mean") result /= static_cast<double>(values.size());
  }
  return w.integer ? Cell(static_cast<int64_t>(result)) : Cell(result);
}

std::vector<EmittedRow> Expected(const Case& c, const std::vector<FixtureRow>& rows) {
  std::vector<EmittedRow> expected;
  for (size_t i = 0; i < c.events.size(); ++i) {
    const bool aside = c.late != "include" && IsLate(c, c.events[i]);
    if (aside && c.late == "side") {
      expected.push_back({1 + c.events[i].port, rows[i].time, static_cast<int64_t>(i), rows[i].cells});
    }
    if (aside || c.events[i].port != 0) continue;
    EmittedRow row{0, rows[i].time, static_cast<int64_t>(i), rows[i].cells};
    for (const Wanted& w : c.features)
      row.cells.push_back(Value(c, w, i));
    expected.push_back(std::move(row));
  }
  return expected;
}

// In the order of the rows that caused them: a batch puts its side outputs after its main one.
std::vector<EmittedRow> InOrder(std::vector<EmittedRow> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.cause < b.cause; });
  return rows;
}

void ExpectSame(const std::vector<EmittedRow>& got, const std::vector<EmittedRow>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], expected[i]) << "row " << i;
}

// Feeds in random pieces, committing, and restoring with or without what came since.
void FeedBrokenly(OperatorFixture& fixture, const std::vector<FixtureRow>& rows, Random& random) {
  size_t committed = 0;
  size_t at = 0;
  while (at < rows.size()) {
    const size_t size = std::min<size_t>(static_cast<size_t>(Pick(random, 1, 60)), rows.size() - at);
    fixture.Feed({rows.data() + at, size}, static_cast<size_t>(Pick(random, 1, 20)));
    at += size;
    if (Chance(random, 50)) {
      fixture.Commit();
      committed = at;
    }
    if (Chance(random, 30)) {
      fixture.Restore();
      at = committed;
    }
  }
}

class FeaturesOracle : public testing::TestWithParam<uint64_t> {};

TEST_P(FeaturesOracle, EveryRowAsByAPlainScan) {
  Case c = MakeCase(GetParam(), 900);
  const std::string yaml = Yaml(c);
  SCOPED_TRACE(yaml);
  const std::vector<FixtureRow> rows = RowsOf(c);
  const std::vector<EmittedRow> expected = Expected(c, rows);
  FixtureOptions options;
  options.shards = GetParam() % 2 == 0 ? 3 : 1;
  std::optional<OperatorFixture::Durable> state;
  for (const size_t cut : {size_t{1}, size_t{7}, OperatorFixture::kWhole}) {
    SCOPED_TRACE(cut);
    OperatorFixture fixture(features_definition(), yaml, Streams(), options);
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    fixture.Feed(rows, cut);
    ExpectSame(InOrder(fixture.emitted()), expected);
    fixture.FireTimers(rows.back().watermark);
    fixture.Commit();
    if (!state) state = fixture.durable();
    EXPECT_TRUE(*state == fixture.durable()) << "the state hangs on how rows were cut";
  }
  OperatorFixture broken(features_definition(), yaml, Streams(), options);
  ASSERT_TRUE(broken.ok());
  Random random(GetParam() + 1);
  FeedBrokenly(broken, rows, random);
  ExpectSame(InOrder(broken.emitted()), expected);
  broken.FireTimers(rows.back().watermark);
  broken.Commit();
  EXPECT_TRUE(*state == broken.durable()) << "the state hangs on commits and restores";
}

TEST_P(FeaturesOracle, NothingStaysForEver) {
  Case c = MakeCase(GetParam(), 300);
  SCOPED_TRACE(Yaml(c));
  const std::vector<FixtureRow> rows = RowsOf(c);
  OperatorFixture fixture(features_definition(), Yaml(c), Streams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  fixture.Commit();
  const size_t empty = fixture.durable().size();
  fixture.Feed(rows, 7);
  fixture.Commit();
  EXPECT_GT(fixture.durable().size(), empty);
  fixture.FireTimers(kMaxTime);
  fixture.Commit();
  EXPECT_EQ(fixture.durable().size(), empty);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FeaturesOracle, testing::Range<uint64_t>(1, 61));

// With values whose sums round: the same bits however rows are cut.
TEST(FeaturesBits, RoundingHangsOnTheRowsAlone) {
  for (uint64_t seed = 100; seed < 108; ++seed) {
    Case c = MakeCase(seed, 900);
    Random random(seed);
    for (Event& e : c.events) {
      if (e.x) e.x = *e.x * 1.1 + static_cast<double>(random() % 1'000'000) * 1e-7;
    }
    const std::vector<FixtureRow> rows = RowsOf(c);
    OperatorFixture whole(features_definition(), Yaml(c), Streams());
    ASSERT_TRUE(whole.ok()) << whole.diagnostics();
    whole.Feed(rows);
    const std::vector<EmittedRow> expected = InOrder(whole.emitted());
    OperatorFixture broken(features_definition(), Yaml(c), Streams());
    ASSERT_TRUE(broken.ok());
    FeedBrokenly(broken, rows, random);
    ExpectSame(InOrder(broken.emitted()), expected);
  }
}

}  // namespace
}  // namespace freshet
