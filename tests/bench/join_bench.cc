// What a `label_join` costs a prediction and its label, each a batch of one row, with some thousands of
// predictions waiting and some thousands of markers remembered. `allocations` and `mallocs` are those of one
// prediction and its label, after warming up.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tests/bench/allocations.h"
#include "tests/harness/operator_fixture.h"

namespace freshet {

const Definition& label_join_definition();

namespace {

class Discard final : public Emitter {
 public:
  void Emit(size_t, Batch rows) override { rows_ += rows.rows(); }
  size_t rows() const { return rows_; }

 private:
  size_t rows_ = 0;
};

Schema Predictions(size_t columns) {
  std::vector<Field> fields{{"id", Type::kString, {}}};
  for (size_t i = 1; i < columns; ++i)
    fields.push_back({"x" + std::to_string(i), Type::kFloat64, {}});
  return Schema(std::move(fields));
}

Schema Labels() {
  return Schema({{"id", Type::kString, {}}, {"y", Type::kFloat64, {}}});
}

// Predictions a minute apart, each with its label 12 h later; a wait of 18 h and markers for 36 h.
class Flights {
 public:
  static constexpr size_t kIds = 4096;  // used in turn: not again while remembered
  static constexpr int64_t kAhead = 720;

  Flights(OperatorFixture& fixture, size_t columns) : fixture_(fixture) {
    const Schema schema = Predictions(columns);
    for (size_t i = 0; i < kIds; ++i) {
      const std::string id = "2013-01-01-AA-" + std::to_string(100'000 + i) + "-EWR";
      FixtureRow prediction{0, 0, {id}};
      for (size_t c = 1; c < columns; ++c)
        prediction.cells.emplace_back(static_cast<double>(c));
      const FixtureRow label{1, 0, {id, 1.0}};
      predictions_.push_back(MakeBatch(fixture.pool(), schema, {&prediction, 1}));
      labels_.push_back(MakeBatch(fixture.pool(), Labels(), {&label, 1}));
    }
  }
  Status Next() {
    if (Status s = Feed(0, predictions_, minute_); !s.ok()) return s;
    if (minute_ >= kAhead) {
      if (Status s = Feed(1, labels_, minute_ - kAhead); !s.ok()) return s;
    }
    ++minute_;
    return {};
  }
  Time now() const { return minute_ * kMinute; }
  size_t rows() const { return out_.rows(); }

 private:
  Status Feed(size_t port, const std::vector<Batch>& batches, int64_t flight) {
    const Time time = now();
    return fixture_.op().Process(
        port, batches[static_cast<size_t>(flight) % kIds].At(fixture_.pool(), {&time, 1}), out_);
  }

  OperatorFixture& fixture_;
  std::vector<Batch> predictions_, labels_;
  Discard out_;
  int64_t minute_ = 0;
};

void PredictionAndLabel(benchmark::State& state) {
  const auto columns = static_cast<size_t>(state.range(0));
  OperatorFixture fixture(label_join_definition(),
                          "{from: predictions, labels: labels, key: id, label: 'y > 15', wait: 18h}",
                          {{"predictions", Predictions(columns)}, {"labels", Labels()}});
  if (!fixture.ok()) return state.SkipWithError(fixture.diagnostics().c_str());
  Flights flights(fixture, columns);
  MemoryMeter meter(fixture.pool());
  const auto some = [&] {
    meter.Begin();
    for (int i = 0; i < 256; ++i) {
      if (Status s = flights.Next(); !s.ok()) state.SkipWithError(s.message().c_str());
    }
    meter.End();
  };
  const auto end_epoch = [&] {
    fixture.FireTimers(flights.now());
    fixture.Commit();
  };
  for (int i = 0; i < 24; ++i) {
    some();
    end_epoch();
  }
  meter.Restart();
  while (state.KeepRunningBatch(256)) {
    some();
    state.PauseTiming();
    end_epoch();
    state.ResumeTiming();
  }
  benchmark::DoNotOptimize(flights.rows());
  meter.Report(state);
}
BENCHMARK(PredictionAndLabel)->Arg(8)->Arg(40);

}  // namespace
}  // namespace freshet
