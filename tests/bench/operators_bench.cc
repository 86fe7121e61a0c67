// What an operator costs for a batch of one row of 32 columns, beside an operator that only passes the batch
// on. `allocations` (operator new) and `mallocs` (of the pool) are those of one call, after warming up; a
// bench that still asks for memory then is an error, which the test bench.one_row looks for here and in the
// benches of the operators that are not here.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tests/bench/allocations.h"
#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& derive_definition();
const Definition& filter_definition();
const Definition& features_definition();

namespace {

constexpr size_t kColumns = 32;
constexpr size_t kKeys = 16;

class Discard final : public Emitter {
 public:
  void Emit(size_t, Batch rows) override { rows_ += rows.rows(); }
  size_t rows() const { return rows_; }

 private:
  size_t rows_ = 0;
};

class Pass final : public Operator {
 public:
  Status Process(size_t, const Batch& in, Emitter& out) override {
    out.Emit(0, in);
    return {};
  }
};

Schema Columns() {
  std::vector<Field> fields{{"key", Type::kString, {}}};
  for (size_t i = 1; i < kColumns; ++i)
    fields.push_back({"x" + std::to_string(i), Type::kFloat64, {}});
  return Schema(std::move(fields));
}

FixtureRow Row(size_t key) {
  FixtureRow row{0, 0, {"key" + std::to_string(key)}};
  for (size_t i = 1; i < kColumns; ++i)
    row.cells.emplace_back(static_cast<double>(i));
  return row;
}

// Calls `op` for one row after another, a second apart; `pause` every 1,024 rows, unmeasured.
template <class Pause>
void Measure(benchmark::State& state, Pool& pool, Operator& op, Pause pause) {
  std::vector<Batch> batches;
  for (size_t key = 0; key < kKeys; ++key) {
    const FixtureRow row = Row(key);
    batches.push_back(MakeBatch(pool, Columns(), {&row, 1}));
  }
  Discard out;
  Time now = 0;
  size_t calls = 0;
  MemoryMeter meter(pool);
  const auto one = [&] {
    now += kSecond;
    const Batch batch = batches[calls++ % kKeys].At(pool, {&now, 1});
    if (Status s = op.Process(0, batch, out); !s.ok()) state.SkipWithError(s.message().c_str());
  };
  const auto many = [&] {
    meter.Begin();
    for (size_t i = 0; i < 1'024; ++i)
      one();
    meter.End();
  };
  for (size_t i = 0; i < 8; ++i) {
    many();
    pause(now);
  }
  meter.Restart();
  while (state.KeepRunningBatch(1'024)) {
    many();
    state.PauseTiming();
    pause(now);
    state.ResumeTiming();
  }
  benchmark::DoNotOptimize(out.rows());
  meter.Report(state);
}

void PassOneRow(benchmark::State& state) {
  Pool pool;
  std::unique_ptr<Operator> op = std::make_unique<Pass>();
  benchmark::DoNotOptimize(op);
  Measure(state, pool, *op, [](Time) {});
}
BENCHMARK(PassOneRow);

void OneRow(benchmark::State& state, const Definition& definition, std::string_view yaml) {
  OperatorFixture fixture(definition, yaml, {{"events", Columns()}});
  if (!fixture.ok()) return state.SkipWithError(fixture.diagnostics().c_str());
  Measure(state, fixture.pool(), fixture.op(), [&](Time now) {
    fixture.FireTimers(now);
    fixture.Commit();
  });
}

void FilterOneRow(benchmark::State& state) {
  OneRow(state, filter_definition(), "{from: events, where: 'x1 > 0'}");
}
BENCHMARK(FilterOneRow);

void DeriveOneRow(benchmark::State& state) {
  OneRow(state, derive_definition(), "{from: events, fields: {total: 'x1 + x2'}}");
}
BENCHMARK(DeriveOneRow);

void DeriveTenFieldsOneRow(benchmark::State& state) {
  std::string fields;
  for (size_t i = 0; i < 10; ++i)
    fields += (i == 0 ? "y" : ", y") + std::to_string(i) + ": 'x" + std::to_string(i + 1) + " + x2'";
  OneRow(state, derive_definition(), "{from: events, fields: {" + fields + "}}");
}
BENCHMARK(DeriveTenFieldsOneRow);

void CountOneRow(benchmark::State& state) {
  OneRow(state, features_definition(), "{from: events, key: key, features: {f: {count: '*', window: 1h}}}");
}
BENCHMARK(CountOneRow);

void ThreeWindowsOneRow(benchmark::State& state) {
  OneRow(state, features_definition(),
         "{from: events, key: key, features: {f: {count: '*', window: 1h}, g: {mean: x1, window: 3h}, "
         "h: {max: x2, window: 1d}}}");
}
BENCHMARK(ThreeWindowsOneRow);

}  // namespace
}  // namespace freshet
