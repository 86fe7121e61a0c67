// Random labelled rows through `evaluate`, against every metric computed from whole lists, and baselines that
// look at all earlier labels.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& evaluate_definition();

namespace {

using Random = std::mt19937_64;

Named<Schema> Streams() {
  return {{"labelled", Schema({{"dest", Type::kString, {}},
                               {"delay", Type::kFloat64, {}},
                               {"m.version", Type::kInt64, {}},
                               {"m.score", Type::kFloat64, {}},
                               {"m.probability", Type::kFloat64, {}},
                               {"shadow.probability", Type::kFloat64, {}},
                               {"label", Type::kBool, {}},
                               {"prediction_time", Type::kTimestamp, {}}})}};
}

// Steps and windows: those of a day, steps that months cut, steps within a day, and windows of all lengths.
struct Steps {
  Duration every;
  std::vector<std::string> windows;
  bool months;
};
const Steps& StepsOf(uint64_t seed) {
  static const std::vector<Steps> all = {
      {kDay, {"3d"}, true},           {kDay, {"1d", "2d", "30d", "4d"}, true},
      {3 * kDay, {"3d", "9d"}, true}, {7 * kHour, {"7h", "14h", "70h"}, true},
      {kDay, {"5d", "2d"}, false},    {2 * kDay, {}, true}};
  return all[seed % all.size()];
}

std::string Body(const Steps& steps) {
  std::string windows = steps.months ? "month" : "";
  for (const std::string& window : steps.windows)
    windows += (windows.empty() ? "" : ", ") + window;
  return "from: labelled\n"
         "baselines: [prior, {last_label: {key: dest}}, {rule: {name: late_already, when: 'delay > 15'}}]\n"
         "every: " +
         FormatDuration(steps.every) + "\nwindows: [" + windows + "]\n";
}

Time MonthEnd(Time time) {
  return StartOfMonth(StartOfMonth(time) + 32 * kDay);
}

struct Scored {
  Time time = 0;
  Time watermark = 0;
  double p = 0;
  bool answer = false;
  bool label = false;
};
using AllScored = std::map<std::string, std::vector<Scored>>;  // by "models/m", "baselines/prior"

bool IsNull(const Cell& cell) {
  return std::holds_alternative<std::monostate>(cell);
}

// --- the formulas, over lists
// ----------------------------------------------------------------------------------------

double PairsWon(const std::vector<Scored>& all) {
  double won = 0;
  double pairs = 0;
  const auto step = [](double p) { return std::min(65535.0, std::floor(p * 65536)); };
  for (const Scored& a : all) {
    for (const Scored& b : all) {
      if (!a.label || b.label) continue;
      ++pairs;
      won += step(a.p) > step(b.p) ? 1 : step(a.p) == step(b.p) ? 0.5 : 0;
    }
  }
  return won / pairs;
}

double Calibration(const std::vector<Scored>& all) {
  double error = 0;
  for (int bin = 0; bin < 15; ++bin) {
    double p = 0;
    double y = 0;
    double n = 0;
    for (const Scored& s : all) {
      if (std::min(14, static_cast<int>(s.p * 15)) != bin) continue;
      p += s.p;
      y += s.label ? 1 : 0;
      ++n;
    }
    if (n > 0) error += n / static_cast<double>(all.size()) * std::abs(p / n - y / n);
  }
  return error;
}

double Naive(const std::string& metric, const std::vector<Scored>& all) {
  const auto n = static_cast<double>(all.size());
  if (metric == "roc_auc") return PairsWon(all);
  if (metric == "calibration_error") return Calibration(all);
  double sum = 0;
  for (const Scored& s : all) {
    const double right = s.label ? s.p : 1 - s.p;
    const double clipped = std::clamp(s.p, 1e-15, 1 - 1e-15);
    if (metric == "log_loss") sum -= std::log(s.label ? clipped : 1 - clipped);
    if (metric == "brier") sum += (1 - right) * (1 - right);
    if (metric == "accuracy") sum += s.answer == s.label ? 1 : 0;
  }
  return sum / n;
}

// --- the baselines, over all that came before
// ------------------------------------------------------------------------

struct Known {
  Time time = 0;
  bool label = false;
  std::string dest;  // empty: null
  std::optional<bool> last, rule;
};

std::optional<double> Share(const std::vector<Known>& known, Time before,
                            const std::function<bool(const Known&)>& counts) {
  double n = 0;
  double positives = 0;
  for (const Known& k : known) {
    if (k.time >= before || !counts(k)) continue;
    ++n;
    positives += k.label ? 1 : 0;
  }
  return (1 + positives) / (2 + n);
}

AllScored ScoreNaively(const std::vector<FixtureRow>& rows) {
  AllScored all;
  std::vector<Known> known;
  for (const FixtureRow& row : rows) {
    if (IsNull(row.cells[6])) continue;
    const bool label = std::get<bool>(row.cells[6]);
    const auto add = [&](const std::string& name, double p, bool answer) {
      all[name].push_back({row.time, row.watermark, p, answer, label});
    };
    for (const size_t column : {size_t{4}, size_t{5}}) {
      if (IsNull(row.cells[column])) continue;
      const double p = std::get<double>(row.cells[column]);
      if (p >= 0 && p <= 1) add(column == 4 ? "models/m" : "models/shadow", p, p >= 0.5);
    }
    const Time before = IsNull(row.cells[7]) ? row.time : std::get<int64_t>(row.cells[7]);
    Known now{row.time, label, IsNull(row.cells[0]) ? "" : std::get<std::string>(row.cells[0]), {}, {}};
    if (!IsNull(row.cells[1])) now.rule = std::get<double>(row.cells[1]) > 15;
    const Known* last = nullptr;
    for (const Known& k : known) {
      if (now.dest.empty() || k.dest != now.dest || k.time >= before) continue;
      if (last == nullptr || k.time >= last->time) last = &k;
    }
    if (last != nullptr) now.last = last->label;
    const double prior = *Share(known, before, [](const Known&) { return true; });
    add("baselines/prior", prior, prior >= 0.5);
    const auto answered = [&](const std::string& name, std::optional<bool> answer,
                              std::optional<bool> Known::*of) {
      const double p =
          answer ? *Share(known, before, [&](const Known& k) { return k.*of == answer; }) : prior;
      add(name, p, answer.value_or(prior >= 0.5));
    };
    answered("baselines/last_label", now.last, &Known::last);
    answered("baselines/late_already", now.rule, &Known::rule);
    known.push_back(now);
  }
  return all;
}

// --- rows
// ------------------------------------------------------------------------------------------------------------

std::vector<FixtureRow> MakeRows(uint64_t seed, size_t count) {
  Random random(seed);
  const auto chance = [&](uint64_t percent) { return random() % 100 < percent; };
  std::vector<FixtureRow> rows;
  Time now = *ParseTimestamp("2024-01-29T07:00:00Z");
  // From one example a bucket to hundreds.
  const auto gap = std::vector<uint64_t>{60, 60, 12, 240}[random() % 4];
  const Duration disorder = chance(40) ? 0 : static_cast<Duration>(random() % 48) * kHour;
  const Duration believed = chance(60) ? disorder : disorder / 3;
  for (size_t i = 0; i < count; ++i) {
    now += static_cast<Duration>(random() % gap) * kMinute;
    if (chance(1)) now += static_cast<Duration>(random() % 8) * kDay;
    FixtureRow row;
    row.time = now - (disorder == 0 ? 0 : static_cast<Duration>(random() % static_cast<uint64_t>(disorder)));
    if (chance(30)) row.time = FloorTo(row.time, kHour);
    const double p =
        chance(3) ? static_cast<double>(random() % 3) / 2 : static_cast<double>(random() % 1000) / 999;
    const bool label = chance(static_cast<uint64_t>(20 + 60 * p));
    const Time predicted = row.time - static_cast<Duration>(random() % 20) * kHour / 2;
    row.cells = {"d" + std::to_string(random() % 6),
                 static_cast<double>(random() % 30),
                 int64_t{1},
                 0.5,
                 p,
                 static_cast<double>(random() % 7) / 6,
                 label,
                 predicted};
    if (chance(3)) row.cells[4] = p * 3 - 1;
    for (const size_t column : {0, 1, 5, 6, 7}) {
      if (chance(4)) row.cells[column] = kNull;
    }
    rows.push_back(std::move(row));
  }
  RunWatermarks(rows, 1, believed);
  return rows;
}

// The examples that rows emitted at `end` are about: those seen before its timer fires, of [since, end).
std::vector<Scored> Within(const std::vector<Scored>& all, std::optional<Time> since, Time end) {
  std::vector<Scored> chosen;
  for (const Scored& s : all) {
    if (s.watermark >= end || s.time >= end || (since && s.time < *since)) continue;
    chosen.push_back(s);
  }
  return chosen;
}

void ExpectNear(double got, double expected, const std::string& what) {
  EXPECT_NEAR(got, expected, 1e-9 * std::max(1.0, std::abs(expected))) << what;
}

void CheckRow(const OperatorFixture& fixture, const EmittedRow& row, const AllScored& all) {
  const Cell& model = fixture.At(row, "model");
  const Cell& baseline = fixture.At(row, "baseline");
  ASSERT_NE(IsNull(model), IsNull(baseline));
  const std::string name = IsNull(model) ? "baselines/" + std::get<std::string>(baseline)
                                         : "models/" + std::get<std::string>(model);
  const std::string metric = std::get<std::string>(fixture.At(row, "metric"));
  const std::string span = std::get<std::string>(fixture.At(row, "span"));
  ASSERT_EQ(std::get<int64_t>(fixture.At(row, "time")), row.time);
  std::optional<Time> since;
  if (span != "run" && span != "month") since = row.time - *ParseDuration(span);
  if (span == "month") since = StartOfMonth(row.time - 1);
  ASSERT_EQ(fixture.At(row, "since"), since ? Cell(*since) : Cell(kNull));
  const std::string what = name + " " + metric + " " + span + " at " + FormatTimestamp(row.time);
  const std::vector<Scored> examples = Within(all.at(name), since, row.time);
  ASSERT_EQ(std::get<int64_t>(fixture.At(row, "examples")), static_cast<int64_t>(examples.size())) << what;
  ASSERT_FALSE(examples.empty()) << what;
  const double expected = Naive(metric, examples);
  const Cell& value = fixture.At(row, "value");
  if (std::isnan(expected)) {
    EXPECT_TRUE(IsNull(value)) << what;
  } else {
    ExpectNear(std::get<double>(value), expected, what);
  }
}

// Which spans had to be reported, and when: those with examples in time, once the watermark passed.
std::set<std::pair<Time, std::string>> Due(const Steps& steps, const AllScored& all, Time watermark) {
  std::set<std::pair<Time, std::string>> due;
  for (const auto& [name, scored] : all) {
    for (const Scored& s : scored) {
      const Time month = MonthEnd(s.time);
      if (steps.months && month > s.watermark && month <= watermark) due.insert({month, "month"});
      const Time end = FloorTo(s.time, steps.every) + steps.every;
      const Time closed = steps.months ? std::min(end, month) : end;
      if (closed <= s.watermark || end > watermark) continue;
      due.insert({end, "run"});
      for (const std::string& window : steps.windows)
        due.insert({end, window});
      // At a step in the next month it may be that month, in which nothing came yet.
      if (!steps.months) continue;
      for (const auto& [other, others] : all) {
        if (!Within(others, StartOfMonth(end - 1), end).empty()) due.insert({end, "month"});
      }
    }
  }
  return due;
}

void FeedBrokenly(OperatorFixture& fixture, const std::vector<FixtureRow>& rows, uint64_t seed) {
  Random random(seed);
  size_t committed = 0;
  for (size_t at = 0; at < rows.size();) {
    const size_t size = std::min<size_t>(1 + random() % 60, rows.size() - at);
    fixture.Feed({rows.data() + at, size}, 1 + random() % 20);
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

class EvaluateOracle : public testing::TestWithParam<uint64_t> {};

TEST_P(EvaluateOracle, EveryMetricAsFromWholeLists) {
  const Steps& steps = StepsOf(GetParam());
  const std::vector<FixtureRow> rows = MakeRows(GetParam(), 400);
  const AllScored all = ScoreNaively(rows);
  const Time end = rows.back().watermark;
  std::vector<EmittedRow> first;
  std::optional<OperatorFixture::Durable> state;
  for (const size_t cut : {size_t{1}, size_t{7}, OperatorFixture::kWhole, size_t{0}}) {
    SCOPED_TRACE(cut);
    OperatorFixture fixture(evaluate_definition(), Body(steps), Streams());
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    cut == 0 ? FeedBrokenly(fixture, rows, GetParam()) : fixture.Feed(rows, cut);
    fixture.FireTimers(end);
    if (!state) {
      first = fixture.emitted();
      std::set<std::pair<Time, std::string>> reported;
      for (const EmittedRow& row : first) {
        ASSERT_NO_FATAL_FAILURE(CheckRow(fixture, row, all));
        reported.insert({row.time, std::get<std::string>(fixture.At(row, "span"))});
      }
      EXPECT_EQ(reported, Due(steps, all, end));
    }
    EXPECT_TRUE(first == fixture.emitted()) << "what is emitted hangs on how rows were cut";
    for (const auto& [path, value] : fixture.Summarize()) {
      const size_t slash = path.rfind('/');
      const std::vector<Scored>& scored = all.at(path.substr(0, slash));
      const std::string metric = path.substr(slash + 1);
      ExpectNear(value, metric == "examples" ? static_cast<double>(scored.size()) : Naive(metric, scored),
                 path);
    }
    EXPECT_EQ(fixture.Summarize().size(), 30U);
    fixture.Commit();
    if (!state) state = fixture.durable();
    EXPECT_TRUE(*state == fixture.durable()) << "the state hangs on how rows were cut";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, EvaluateOracle, testing::Range<uint64_t>(1, 61));

}  // namespace
}  // namespace freshet
