// What a prediction and a learnt example cost a row: 40 features (24 numbers of which one in ten is missing,
// 12 categories, 4 crosses), batches of 1 and of 64 rows. `allocations` and `mallocs` are those of one row,
// after warming up.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/base/random.h"
#include "operators/learning/model_spec.h"
#include "tests/bench/allocations.h"
#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& predict_definition();
const Definition& train_definition();

namespace {

constexpr size_t kNumbers = 24;
constexpr size_t kCategories = 12;
constexpr size_t kRows = 512;

class Discard final : public Emitter {
 public:
  void Emit(size_t, Batch rows) override { rows_ += rows.rows(); }
  size_t rows() const { return rows_; }

 private:
  size_t rows_ = 0;
};

Schema Inputs() {
  Schema schema;
  for (size_t i = 0; i < kNumbers; ++i)
    schema.Add({"x" + std::to_string(i), Type::kFloat64, {}});
  for (size_t i = 0; i < kCategories; ++i)
    schema.Add({"c" + std::to_string(i), Type::kString, {}});
  return schema;
}

// With what a `predict` and a `label_join` add.
Schema Joined() {
  Schema schema = Inputs();
  schema.Add({"m.version", Type::kInt64, {}});
  schema.Add({"m.score", Type::kFloat64, {}});
  schema.Add({"label", Type::kBool, {}});
  return schema;
}

std::string ModelBody(const std::string& rest) {
  std::string numeric = "x0";
  for (size_t i = 1; i < kNumbers; ++i)
    numeric += ", x" + std::to_string(i);
  std::string categorical = "c0";
  for (size_t i = 1; i < kCategories; ++i)
    categorical += ", c" + std::to_string(i);
  return "m: {features: {numeric: [" + numeric + "], categorical: [" + categorical +
         "], crosses: [[c0, c1], [c2, c3], [c4, c5], [c6, c7]]}" + rest + "}";
}

std::vector<FixtureRow> Rows(bool joined) {
  Random random(1);
  std::vector<FixtureRow> rows;
  for (size_t i = 0; i < kRows; ++i) {
    FixtureRow row{0, static_cast<Time>(i), {}};
    for (size_t k = 0; k < kNumbers; ++k)
      row.cells.emplace_back(10 * random.Uniform());
    for (Cell& cell : row.cells) {
      if (random.Chance(0.1)) cell = kNull;
    }
    for (size_t k = 0; k < kCategories; ++k)
      row.cells.emplace_back("value " + std::to_string(random.Below(100)));
    if (joined) row.cells.insert(row.cells.end(), {int64_t{0}, 0.0, random.Chance(0.2)});
    rows.push_back(std::move(row));
  }
  return rows;
}

void Measure(benchmark::State& state, const Definition& definition, const std::string& rest, bool train) {
  const auto batch_rows = static_cast<size_t>(state.range(0));
  const Schema schema = train ? Joined() : Inputs();
  FixtureOptions options;
  options.models = ModelBody(rest);
  options.model_shape = &ModelShape();
  OperatorFixture fixture(definition, train ? "{from: rows}" : "{from: rows, model: m}", {{"rows", schema}},
                          options);
  if (!fixture.ok()) return state.SkipWithError(fixture.diagnostics().c_str());
  std::vector<Batch> batches;
  const std::vector<FixtureRow> rows = Rows(train);
  for (size_t first = 0; first < kRows; first += batch_rows) {
    batches.push_back(MakeBatch(fixture.pool(), schema, std::span(rows).subspan(first, batch_rows)));
  }
  Discard out;
  const auto all = [&] {
    for (const Batch& batch : batches) {
      if (Status s = fixture.op().Process(0, batch, out); !s.ok()) state.SkipWithError(s.message().c_str());
    }
  };
  all();
  MemoryMeter meter(fixture.pool());
  meter.Begin();
  while (state.KeepRunningBatch(kRows))
    all();
  meter.End();
  benchmark::DoNotOptimize(out.rows());
  meter.Report(state);
}

void PredictRow(benchmark::State& state) {
  Measure(state, predict_definition(), "", false);
}
BENCHMARK(PredictRow)->Arg(1)->Arg(64);

void LearnRow(benchmark::State& state) {
  Measure(state, train_definition(), "", true);
}
BENCHMARK(LearnRow)->Arg(1)->Arg(64);

void LearnRowInMicrobatches(benchmark::State& state) {
  Measure(state, train_definition(), ", microbatch: 64", true);
}
BENCHMARK(LearnRowInMicrobatches)->Arg(1)->Arg(64);

void LearnRowByMeanGradient(benchmark::State& state) {
  Measure(state, train_definition(), ", microbatch: 64, update: mean_gradient", true);
}
BENCHMARK(LearnRowByMeanGradient)->Arg(64);

void LearnRowBySgd(benchmark::State& state) {
  Measure(state, train_definition(), ", optimizer: sgd", true);
}
BENCHMARK(LearnRowBySgd)->Arg(64);

}  // namespace
}  // namespace freshet
