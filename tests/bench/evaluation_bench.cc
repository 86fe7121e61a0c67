// What `evaluate` costs a labelled row: two models and three baselines, every metric, a step a day, a window
// of 30 days and months; batches of one row and of 64. The steps are in the time, commits are not.
// `allocations` and `mallocs` are those of one row, steps included, after warming up.
#include <algorithm>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/base/random.h"
#include "tests/bench/allocations.h"
#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& evaluate_definition();

namespace {

constexpr size_t kRowsADay = 960;
constexpr Duration kApart = kDay / kRowsADay;
constexpr size_t kKeys = 100;
constexpr int kWarmDays = 35;  // until the windows are full

class Discard final : public Emitter {
 public:
  void Emit(size_t, Batch) override {}
};

Schema Labelled() {
  return Schema({{"dest", Type::kString, {}},
                 {"delay", Type::kFloat64, {}},
                 {"m.probability", Type::kFloat64, {}},
                 {"shadow.probability", Type::kFloat64, {}},
                 {"label", Type::kBool, {}},
                 {"prediction_time", Type::kTimestamp, {}}});
}

// A day of rows, their labels one to five hours after their predictions.
std::vector<FixtureRow> RowsOf(Time day, Random& random) {
  std::vector<FixtureRow> rows;
  for (size_t i = 0; i < kRowsADay; ++i) {
    const Time time = day + static_cast<Time>(i) * kApart;
    const double p = random.Uniform() * random.Uniform();
    rows.push_back({0,
                    time,
                    {"d" + std::to_string(random.Below(kKeys)), 100 * random.Uniform() - 20, p,
                     std::min(1.0, p + 0.2 * random.Uniform()), random.Chance(p),
                     time - kHour - static_cast<Time>(random.Below(uint64_t{4} * 60)) * kMinute},
                    time});
  }
  return rows;
}

void EvaluateRow(benchmark::State& state) {
  const auto batch_rows = static_cast<size_t>(state.range(0));
  OperatorFixture fixture(evaluate_definition(),
                          "{from: rows, windows: [30d, month], baselines: [prior, {last_label: {key: dest}}, "
                          "{rule: {name: late, when: 'delay > 15'}}]}",
                          {{"rows", Labelled()}});
  if (!fixture.ok()) return state.SkipWithError(fixture.diagnostics().c_str());
  Random random(1);
  Discard out;
  Time day = 0;
  std::vector<Batch> batches;
  const auto prepare = [&] {
    fixture.Commit();
    day += kDay;
    batches.clear();
    const std::vector<FixtureRow> rows = RowsOf(day, random);
    for (size_t first = 0; first < kRowsADay; first += batch_rows)
      batches.push_back(MakeBatch(fixture.pool(), Labelled(),
                                  std::span(rows).subspan(first, std::min(batch_rows, kRowsADay - first))));
  };
  const auto run = [&] {
    fixture.FireTimers(day, out);
    for (const Batch& batch : batches) {
      if (Status s = fixture.op().Process(0, batch, out); !s.ok()) state.SkipWithError(s.message().c_str());
    }
  };
  for (int i = 0; i < kWarmDays; ++i) {
    prepare();
    run();
  }
  MemoryMeter meter(fixture.pool());
  while (state.KeepRunningBatch(kRowsADay)) {
    state.PauseTiming();
    prepare();
    state.ResumeTiming();
    meter.Begin();
    run();
    meter.End();
  }
  meter.Report(state);
}
BENCHMARK(EvaluateRow)->Arg(1)->Arg(64);

}  // namespace
}  // namespace freshet
