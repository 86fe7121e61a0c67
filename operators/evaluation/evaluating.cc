#include "operators/evaluation/evaluating.h"

#include <algorithm>
#include <utility>

#include "operators/evaluation/baselines.h"
#include "operators/evaluation/metric_rows.h"
#include "operators/evaluation/tallies.h"

namespace freshet {
namespace {

// What a timer is for, in the order they fire at one moment.
constexpr std::string_view kBucketEnd = "e";
constexpr std::string_view kMonthEnd = "m";
constexpr std::string_view kForgetBucket = "x";

constexpr Time kEarliest = kMinTime / 4;

class Evaluating final : public Operator {
 public:
  Evaluating(std::shared_ptr<const EvaluatePlan> plan, TaskContext& context)
      : plan_(std::move(plan)),
        context_(context),
        tallies_(context.raw_state("tallies"), context.raw_state("steps")),
        baselines_(*plan_, context.raw_state("answers")),
        unlabelled_(context.counter("rows_without_label")),
        unpredicted_(context.counter("rows_without_probability")),
        too_old_(context.counter("predictions_too_old")),
        late_(context.counter("late_rows")) {}

  Status Process(size_t port, const Batch& in, Emitter& out) override;
  Status OnTimer(const DueTimer& timer, Emitter& out) override;
  Status Summarize(Report& report) override;

 private:
  using Series = EvaluatePlan::Series;
  struct Example {
    Time time = 0;
    Time watermark = 0;
    bool label = false;
  };

  Time BucketStart(Time time) const {
    const Time start = FloorTo(time, plan_->every);
    return plan_->months ? std::max(start, StartOfMonth(time)) : start;
  }
  Time BucketEnd(Time time) const {
    const Time end = FloorTo(time, plan_->every) + plan_->every;
    return plan_->months ? std::min(end, MonthEnd(time)) : end;
  }
  static Time MonthEnd(Time time) { return StartOfMonth(StartOfMonth(time) + 32 * kDay); }

  Status ReadModels(const Batch& in, size_t row, const Example& example);
  Status ReadBaselines(const Batch& in, size_t row, const Example& example);
  Status Add(const Series& series, const Guess& guess, const Example& example);
  Status AddLate(const Series& series, const Guess& guess, const Example& example);
  Status SetTimers(Time time, bool closed);
  Status Close(Time end);
  Status Write(SpanKind kind, size_t window, Time end, MetricRows& rows);
  Status Gather(const Series& series, SpanKind kind, Time since, Time end);
  bool wants(Metric metric) const {
    return std::find(plan_->metrics.begin(), plan_->metrics.end(), metric) != plan_->metrics.end();
  }
  Status EraseAll(SpanKind kind, Time start);

  std::shared_ptr<const EvaluatePlan> plan_;
  TaskContext& context_;
  Tallies tallies_;
  Baselines baselines_;
  Counter &unlabelled_, &unpredicted_, &too_old_, &late_;
  Sums sums_;  // scratch, as all below
  Histogram histogram_;
  std::vector<Guess> guesses_;
  std::string key_;
};

Status Evaluating::Process(size_t, const Batch& in, Emitter&) {
  const ColumnPtr labels = plan_->label->Evaluate(context_.pool(), in, context_.faults());
  if (plan_->has_baselines()) baselines_.Use(in, context_.pool(), context_.faults());
  for (size_t row = 0; row < in.rows(); ++row) {
    if (!labels->valid(row)) {
      unlabelled_.Add();
      continue;
    }
    const Time watermark = context_.WatermarkBefore(in.ordinals()[row]);
    const Example example{in.times()[row], watermark, labels->values<uint8_t>()[row] != 0};
    if (BucketEnd(example.time) <= watermark) late_.Add();
    if (Status s = ReadModels(in, row, example); !s.ok()) return s;
    if (!plan_->has_baselines()) continue;
    if (Status s = ReadBaselines(in, row, example); !s.ok()) return s;
  }
  return {};
}

Status Evaluating::ReadModels(const Batch& in, size_t row, const Example& example) {
  for (const Series& series : plan_->series) {
    if (!series.is_model) break;
    const Column& probabilities = in.column(series.probability);
    const double p = probabilities.valid(row) ? probabilities.values<double>()[row] : -1;
    if (!(p >= 0 && p <= 1)) {
      unpredicted_.Add();
      continue;
    }
    if (Status s = Add(series, {p, p >= 0.5}, example); !s.ok()) return s;
  }
  return {};
}

Status Evaluating::ReadBaselines(const Batch& in, size_t row, const Example& example) {
  Time predicted = example.time;
  if (plan_->prediction_time && in.column(*plan_->prediction_time).valid(row))
    predicted = in.column(*plan_->prediction_time).values<int64_t>()[row];
  const Time horizon = std::max(example.watermark, kEarliest) - plan_->longest_delay;
  if (predicted < horizon) {
    too_old_.Add();
    return {};
  }
  if (Status s = baselines_.Predict(row, predicted, guesses_); !s.ok()) return s;
  auto guess = guesses_.begin();
  for (const Series& series : plan_->series) {
    if (series.is_model) continue;
    if (Status s = Add(series, *guess++, example); !s.ok()) return s;
  }
  return baselines_.Learn(example.time, example.label, horizon);
}

Status Evaluating::Add(const Series& series, const Guess& guess, const Example& example) {
  if (BucketEnd(example.time) <= example.watermark) return AddLate(series, guess, example);
  key_ = Tallies::Key(series.key, SpanKind::kBucket, BucketStart(example.time));
  bool is_new = false;
  if (Status s = tallies_.Add(key_, guess.probability, guess.answer, example.label, is_new); !s.ok())
    return s;
  return is_new ? SetTimers(example.time, false) : Status();
}

// An example of a bucket that is closed.
Status Evaluating::AddLate(const Series& series, const Guess& guess, const Example& example) {
  const auto add = [&](SpanKind kind, Time start, bool& is_new) {
    key_ = Tallies::Key(series.key, kind, start);
    return tallies_.Add(key_, guess.probability, guess.answer, example.label, is_new);
  };
  bool is_new = false;
  const Time start = BucketStart(example.time);
  bool is_open = false;  // where its timer is about to fire
  if (Status s = tallies_.IsOpen(Tallies::Key(series.key, SpanKind::kBucket, start), is_open); !s.ok())
    return s;
  if (is_open) return add(SpanKind::kBucket, start, is_new);
  if (Status s = add(SpanKind::kRun, 0, is_new); !s.ok()) return s;
  if (start + plan_->longest_window() > example.watermark) {
    if (Status s = add(SpanKind::kBucket, start, is_new); !s.ok()) return s;
    if (is_new) {
      if (Status s = tallies_.SetClosed(key_); !s.ok()) return s;
      if (Status s = SetTimers(example.time, true); !s.ok()) return s;
    }
  }
  if (!plan_->months || MonthEnd(example.time) <= example.watermark) return {};
  if (Status s = add(SpanKind::kMonth, StartOfMonth(example.time), is_new); !s.ok() || !is_new) return s;
  return context_.timers().Set(MonthEnd(example.time), kMonthEnd);
}

// Of the bucket that holds `time`.
Status Evaluating::SetTimers(Time time, bool closed) {
  Timers timers = context_.timers();
  if (!plan_->windows.empty()) {
    const Time start = BucketStart(time);
    if (Status s = timers.Set(start + plan_->longest_window(), kForgetBucket); !s.ok()) return s;
  }
  if (closed) return {};
  if (plan_->months) {
    if (Status s = timers.Set(MonthEnd(time), kMonthEnd); !s.ok()) return s;
  }
  return timers.Set(FloorTo(time, plan_->every) + plan_->every, kBucketEnd);
}

Status Evaluating::OnTimer(const DueTimer& timer, Emitter& out) {
  const Time end = timer.time;
  if (timer.key == kForgetBucket) return EraseAll(SpanKind::kBucket, end - plan_->longest_window());
  if (Status s = Close(end); !s.ok()) return s;
  MetricRows rows(context_.pool(), end);
  const bool month_ends = plan_->months && StartOfMonth(end) == end;
  if (timer.key == kBucketEnd) {
    if (Status s = Write(SpanKind::kRun, 0, end, rows); !s.ok()) return s;
    for (size_t window = 0; window < plan_->windows.size(); ++window) {
      if (Status s = Write(SpanKind::kBucket, window, end, rows); !s.ok()) return s;
    }
  }
  if (plan_->months && (timer.key == kMonthEnd || !month_ends)) {
    if (Status s = Write(SpanKind::kMonth, 0, end, rows); !s.ok()) return s;
  }
  if (timer.key == kMonthEnd) {
    if (Status s = EraseAll(SpanKind::kMonth, StartOfMonth(end - 1)); !s.ok()) return s;
  }
  if (!rows.empty()) out.Emit(0, rows.Finish());
  return {};
}

// The bucket that ends at `end`, if it is open, joins the run and its month.
Status Evaluating::Close(Time end) {
  const Time start = BucketStart(end - 1);
  for (const Series& series : plan_->series) {
    const std::string bucket = Tallies::Key(series.key, SpanKind::kBucket, start);
    bool is_open = false;
    if (Status s = tallies_.IsOpen(bucket, is_open); !s.ok()) return s;
    if (!is_open) continue;
    if (Status s = tallies_.Merge(bucket, Tallies::Key(series.key, SpanKind::kRun, 0)); !s.ok()) return s;
    if (plan_->months) {
      const std::string month = Tallies::Key(series.key, SpanKind::kMonth, StartOfMonth(start));
      if (Status s = tallies_.Merge(bucket, month); !s.ok()) return s;
    }
    const Status s = plan_->windows.empty() ? tallies_.Erase(bucket) : tallies_.SetClosed(bucket);
    if (!s.ok()) return s;
  }
  return {};
}

Status Evaluating::EraseAll(SpanKind kind, Time start) {
  for (const Series& series : plan_->series) {
    if (Status s = tallies_.Erase(Tallies::Key(series.key, kind, start)); !s.ok()) return s;
  }
  return {};
}

// Into sums_ and histogram_: the examples of [since, end).
Status Evaluating::Gather(const Series& series, SpanKind kind, Time since, Time end) {
  sums_ = Sums{};
  Histogram* histogram = wants(Metric::kRocAuc) ? &histogram_ : nullptr;
  if (histogram != nullptr) histogram->Clear();
  if (kind != SpanKind::kBucket) {
    const Time start = kind == SpanKind::kRun ? 0 : since;
    return tallies_.Gather(Tallies::Key(series.key, kind, start), sums_, histogram);
  }
  for (Time start = since; start < end; start = BucketEnd(start)) {
    if (Status s = tallies_.Gather(Tallies::Key(series.key, kind, start), sums_, histogram); !s.ok())
      return s;
  }
  return {};
}

Status Evaluating::Write(SpanKind kind, size_t window, Time end, MetricRows& rows) {
  std::string_view span = "run";
  std::optional<Time> since;
  if (kind == SpanKind::kMonth) {
    span = "month";
    since = StartOfMonth(end - 1);
  } else if (kind == SpanKind::kBucket) {
    span = plan_->window_names[window];
    since = end - plan_->windows[window];
  }
  for (const Series& series : plan_->series) {
    if (Status s = Gather(series, kind, since.value_or(0), end); !s.ok()) return s;
    if (sums_.examples == 0) continue;
    for (const Metric metric : plan_->metrics)
      rows.Add(since, series.name, series.is_model, metric, span, ValueOf(metric, sums_, histogram_),
               sums_.examples);
  }
  return {};
}

Status Evaluating::Summarize(Report& report) {
  for (const Series& series : plan_->series) {
    if (Status s = Gather(series, SpanKind::kRun, 0, 0); !s.ok()) return s;
    std::vector<Time> open;
    Status visited = tallies_.Visit(series.key, SpanKind::kBucket, [&](Time start, const Tally& tally) {
      if (tally.closed == 0) open.push_back(start);
    });
    if (!visited.ok()) return visited;
    for (const Time start : open) {
      Histogram* histogram = wants(Metric::kRocAuc) ? &histogram_ : nullptr;
      const std::string key = Tallies::Key(series.key, SpanKind::kBucket, start);
      if (Status s = tallies_.Gather(key, sums_, histogram); !s.ok()) return s;
    }
    const std::string_view group = series.is_model ? "models" : "baselines";
    for (const Metric metric : plan_->metrics) {
      const std::optional<double> value = ValueOf(metric, sums_, histogram_);
      if (value) report.Number({group, series.name, kMetricNames[static_cast<size_t>(metric)]}, *value);
    }
    report.Number({group, series.name, "examples"}, static_cast<double>(sums_.examples));
  }
  return {};
}

}  // namespace

std::vector<TableSpec> EvaluateTables(uint32_t layout) {
  std::vector<TableSpec> tables = Tallies::Tables(layout);
  tables.push_back(Answers::Table(layout));
  return tables;
}

std::unique_ptr<Operator> MakeEvaluating(std::shared_ptr<const EvaluatePlan> plan, TaskContext& context) {
  return std::make_unique<Evaluating>(std::move(plan), context);
}

}  // namespace freshet
