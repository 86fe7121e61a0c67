// What batches and JSON cost. A batch of one row of 32 columns is the common case of a live stream: With,
// Take and Merge stand beside a virtual call that does nothing, the least that an operator costs.
#include <array>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/data/batch.h"
#include "engine/format/format.h"
#include "tests/bench/allocations.h"

namespace freshet {
namespace {

constexpr size_t kColumns = 32;

// A quarter of the columns are texts, one in eight values is null.
ColumnPtr SomeColumn(Pool& pool, size_t i, size_t rows) {
  ColumnBuilder builder(pool, i % 4 == 3 ? Type::kString : Type::kFloat64, rows);
  for (size_t row = 0; row < rows; ++row) {
    if ((i + row) % 8 == 5) {
      builder.AppendNull();
    } else if (i % 4 == 3) {
      builder.Append(std::string_view("EWR"));
    } else {
      builder.Append(static_cast<double>(row));
    }
  }
  return builder.Finish();
}

Batch SomeBatch(Pool& pool, size_t rows) {
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < kColumns; ++i)
    columns.push_back(SomeColumn(pool, i, rows));
  std::vector<uint32_t> ordinals(rows);
  for (size_t row = 0; row < rows; ++row)
    ordinals[row] = static_cast<uint32_t>(row);
  return Batch::Make(pool, columns, std::vector<Time>(rows), ordinals);
}

// Reports what a call asks of operator new and of the pool's malloc once warm.
class Steady {
 public:
  Steady(benchmark::State& state, const Pool& pool)
      : state_(state), pool_(pool), allocations_(Allocations()), mallocs_(pool.fresh_blocks()) {}
  ~Steady() {
    const auto calls = static_cast<double>(state_.iterations());
    state_.counters["allocations"] = static_cast<double>(Allocations() - allocations_) / calls;
    state_.counters["mallocs"] = static_cast<double>(pool_.fresh_blocks() - mallocs_) / calls;
  }

 private:
  benchmark::State& state_;
  const Pool& pool_;
  uint64_t allocations_;
  uint64_t mallocs_;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void Run(const Batch& batch) = 0;
};
class Nothing final : public Step {
 public:
  void Run(const Batch& batch) override { benchmark::DoNotOptimize(&batch); }
};

void EmptyVirtualCall(benchmark::State& state) {
  Pool pool;
  const Batch batch = SomeBatch(pool, 1);
  Nothing nothing;
  Step* step = &nothing;
  benchmark::DoNotOptimize(step);
  for (auto _ : state)
    step->Run(batch);
}
BENCHMARK(EmptyVirtualCall);

void With(benchmark::State& state) {
  Pool pool;
  const Batch batch = SomeBatch(pool, 1);
  const ColumnPtr added = SomeColumn(pool, 0, 1);
  batch.With(pool, {&added, 1});
  const Steady steady(state, pool);
  for (auto _ : state)
    benchmark::DoNotOptimize(batch.With(pool, {&added, 1}));
}
BENCHMARK(With);

void BuildColumn(benchmark::State& state) {
  Pool pool;
  SomeColumn(pool, 0, 1);
  const Steady steady(state, pool);
  for (auto _ : state) {
    ColumnBuilder builder(pool, Type::kFloat64, 1);
    builder.Append(1.5);
    benchmark::DoNotOptimize(builder.Finish());
  }
}
BENCHMARK(BuildColumn);

void BuildText(benchmark::State& state) {
  Pool pool;
  ColumnBuilder builder(pool, Type::kString, 1);
  builder.Append(std::string_view("EWR"));
  builder.Finish();
  const Steady steady(state, pool);
  for (auto _ : state) {
    builder.Append(std::string_view("EWR"));
    benchmark::DoNotOptimize(builder.Finish());
  }
}
BENCHMARK(BuildText);

// Takes every other row (the one there is), reads as many columns as the argument says.
void Take(benchmark::State& state) {
  Pool pool;
  const auto rows = static_cast<size_t>(state.range(0));
  const auto read = static_cast<size_t>(state.range(1));
  const Batch batch = SomeBatch(pool, rows * 2);
  std::vector<uint32_t> picks;
  for (size_t row = 0; row < rows; ++row)
    picks.push_back(static_cast<uint32_t>(2 * row + 1));
  const auto run = [&] {
    const Batch taken = batch.Take(pool, picks);
    for (size_t i = 0; i < read; ++i)
      benchmark::DoNotOptimize(taken.column(i).valid(0));
  };
  run();
  const Steady steady(state, pool);
  for (auto _ : state)
    run();
}
BENCHMARK(Take)->ArgNames({"rows", "columns_read"})->ArgsProduct({{1, 4096}, {0, 1, 8, 32}});

void TakeOfTakeWith(benchmark::State& state) {
  Pool pool;
  const Batch batch = SomeBatch(pool, 2);
  const ColumnPtr added = SomeColumn(pool, 0, 1);
  const uint32_t second = 1;
  const uint32_t first = 0;
  const auto run = [&] {
    const Batch taken = batch.Take(pool, {&second, 1}).With(pool, {&added, 1}).Take(pool, {&first, 1});
    benchmark::DoNotOptimize(taken.column(0).valid(0));
  };
  run();
  const Steady steady(state, pool);
  for (auto _ : state)
    run();
}
BENCHMARK(TakeOfTakeWith);

void ReadThroughTenWiths(benchmark::State& state) {
  Pool pool;
  Batch batch = SomeBatch(pool, 1);
  const ColumnPtr added = SomeColumn(pool, 0, 1);
  for (int i = 0; i < 10; ++i)
    batch = batch.With(pool, {&added, 1});
  for (auto _ : state)
    benchmark::DoNotOptimize(batch.column(0).valid(0));
}
BENCHMARK(ReadThroughTenWiths);

void Merge(benchmark::State& state) {
  Pool pool;
  const auto rows = static_cast<size_t>(state.range(0));
  const std::array<Batch, 2> sources = {SomeBatch(pool, rows), SomeBatch(pool, rows)};
  const auto read = static_cast<size_t>(state.range(1));
  const auto run = [&] {
    const Batch merged = Batch::MergeByOrdinal(pool, sources);
    for (size_t i = 0; i < read; ++i)
      benchmark::DoNotOptimize(merged.column(i).valid(0));
  };
  run();
  const Steady steady(state, pool);
  for (auto _ : state)
    run();
}
BENCHMARK(Merge)->ArgNames({"rows", "columns_read"})->ArgsProduct({{1, 2048}, {0, 8}});

std::vector<InputField> FlightFields() {
  const std::pair<const char*, Type> fields[] = {
      {"flight_id", Type::kString},  {"departed_at", Type::kTimestamp}, {"carrier", Type::kString},
      {"origin", Type::kString},     {"dest", Type::kString},           {"distance", Type::kFloat64},
      {"dep_delay", Type::kFloat64}, {"sched_hour", Type::kInt64}};
  std::vector<InputField> inputs;
  for (const auto& [name, type] : fields) {
    InputField& input = inputs.emplace_back();
    input.name = name;
    input.type = type;
    input.path = {name};
  }
  return inputs;
}

std::string Flight(int i) {
  return R"({"departed_at":"2013-01-01T10:)" + std::to_string(10 + i % 50) + R"(:00Z","flight_id":")" +
         std::to_string(100'000 + i) +
         R"(","carrier":"UA","origin":"EWR","dest":"IAH","tailnum":"N14228","distance":)" +
         std::to_string(200 + 7 * i) + R"(,"dep_delay":)" + std::to_string(i % 90 - 10) +
         R"(,"sched_hour":5})";
}

void DecodeFlight(benchmark::State& state) {
  Pool pool;
  const auto fields = FlightFields();
  const auto decoder = FindFormat("json")->decoder(fields);
  std::vector<ColumnBuilder> row;
  for (const InputField& field : fields)
    row.emplace_back(pool, field.type, 4096);
  std::vector<std::string> records;
  for (int i = 0; i < 200; ++i)
    records.push_back(Flight(i));
  size_t next = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    bytes += records[next].size();
    if (decoder->Decode(records[next], row)) state.SkipWithError("refused");
    next = (next + 1) % records.size();
    if (row[0].rows() < 4096) continue;
    for (ColumnBuilder& builder : row)
      builder.Finish();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(DecodeFlight);

void EncodeFlight(benchmark::State& state) {
  Pool pool;
  const auto fields = FlightFields();
  const auto decoder = FindFormat("json")->decoder(fields);
  std::vector<ColumnBuilder> row;
  Schema schema;
  std::vector<OutputField> outputs;
  for (const InputField& field : fields) {
    row.emplace_back(pool, field.type, 200);
    outputs.push_back({schema.size(), field.path});
    schema.Add({field.name, field.type, {}});
  }
  for (int i = 0; i < 200; ++i) {
    if (decoder->Decode(Flight(i), row)) state.SkipWithError("refused");
  }
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : row)
    columns.push_back(builder.Finish());
  const Batch batch = Batch::Make(pool, columns, std::vector<Time>(200), std::vector<uint32_t>(200));
  const auto encoder = FindFormat("json")->encoder(schema, outputs);
  std::string out;
  size_t next = 0;
  for (auto _ : state) {
    out.clear();
    encoder->Encode(batch, next, out);
    benchmark::DoNotOptimize(out.data());
    next = (next + 1) % batch.rows();
  }
}
BENCHMARK(EncodeFlight);

}  // namespace
}  // namespace freshet
