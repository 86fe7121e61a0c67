#include "operators/evaluation/evaluating.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "operators/evaluation/baselines.h"
#include "operators/evaluation/example_log.h"
#include "operators/evaluation/metric_rows.h"
#include "operators/evaluation/span_histograms.h"
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
  Evaluating(std::shared_ptr<const EvaluatePlan> plan, OperatorContext& context)
      : plan_(std::move(plan)),
        context_(context),
        log_(context.raw_state("examples"), KeysOf(*plan_)),
        tallies_(context.raw_state("tallies"), context.raw_state("steps")),
        baselines_(*plan_, context.raw_state("answers")),
        unlabelled_(context.counter("rows_without_label")),
        unpredicted_(context.counter("rows_without_probability")),
        too_old_(context.counter("predictions_too_old")),
        late_(context.counter("late_rows")),
        probabilities_(FirstBaseline(*plan_)),
        guesses_(plan_->series.size()),
        rows_(context.pool()) {
    for (const Series& series : plan_->series)
      spans_.emplace_back(*plan_, series, tallies_);
  }

  Status Process(size_t port, const Batch& in, Emitter& out) override;
  Status OnTimer(const DueTimer& timer, Emitter& out) override;
  Status Summarize(Report& report) override;

 private:
  using Series = EvaluatePlan::Series;
  struct Row {
    size_t number = 0;  // in its batch
    Time time = 0;
    Time watermark = 0;
    bool label = false;
  };

  static std::vector<std::string> KeysOf(const EvaluatePlan& plan) {
    std::vector<std::string> keys;
    for (const Series& series : plan.series)
      keys.push_back(series.key);
    return keys;
  }
  static size_t FirstBaseline(const EvaluatePlan& plan) {
    const auto is_baseline = [](const Series& series) { return !series.is_model; };
    const auto first = std::find_if(plan.series.begin(), plan.series.end(), is_baseline);
    return static_cast<size_t>(first - plan.series.begin());
  }

  // No label older than this is asked for.
  Time Horizon(const Row& row) const { return std::max(row.watermark, kEarliest) - plan_->longest_delay; }
  Status Take(const Row& row);
  void ReadModels(const Row& row);
  Status ReadBaselines(const Row& row, bool& are_read);
  Status Add(const Row& row);
  Status AddLate(const Row& row);
  Status AddLate(size_t series, const Scored& example, const Row& row);
  Status Fold(Time bucket);
  Status SetTimers(Time time, bool closed);
  Status Close(Time end);
  Status Write(SpanKind kind, size_t window, Time end, MetricRows& rows);
  Status AddSums(const Series& series, SpanKind kind, Time since, Time end, Sums& sums);
  Status RocAuc(size_t series, SpanKind kind, size_t window, Time end, std::optional<double>& roc_auc);
  Status EraseAll(SpanKind kind, Time start);
  Status AddOpen(const Series& series, Time bucket, Sums& sums, Histogram& histogram);

  std::shared_ptr<const EvaluatePlan> plan_;
  OperatorContext& context_;
  ExampleLog log_;
  Tallies tallies_;
  std::vector<SpanHistograms> spans_;  // one a series
  Baselines baselines_;
  Counter &unlabelled_, &unpredicted_, &too_old_, &late_;
  std::vector<const Column*> probabilities_;  // one a model, of the batch in work
  const Column* prediction_times_ = nullptr;  // of it, too; null: there are none
  Time bucket_start_ = 0, bucket_end_ = 0;    // of the row before
  std::vector<Guess> guesses_;                // scratch: one a series
  MetricRows rows_;                           // of the timer in work
};

Status Evaluating::Process(size_t, const Batch& in, Emitter&) {
  const ColumnPtr labels = plan_->label->Evaluate(context_.pool(), in, context_.faults());
  for (size_t i = 0; i < probabilities_.size(); ++i)
    probabilities_[i] = &in.column(plan_->series[i].probability);
  if (plan_->prediction_time) prediction_times_ = &in.column(*plan_->prediction_time);
  if (plan_->has_baselines()) baselines_.Use(in, context_.pool(), context_.faults());
  for (size_t i = 0; i < in.rows(); ++i) {
    if (!labels->valid(i)) {
      unlabelled_.Add();
      continue;
    }
    const Time watermark = context_.WatermarkBefore(0, in.ordinals()[i]);
    const Row row{i, in.times()[i], watermark, labels->values<uint8_t>()[i] != 0};
    if (Status s = Take(row); !s.ok()) return s;
  }
  return {};
}

Status Evaluating::Take(const Row& row) {
  if (row.time < bucket_start_ || row.time >= bucket_end_) {
    bucket_start_ = plan_->BucketStart(row.time);
    bucket_end_ = plan_->BucketEnd(row.time);
  }
  const bool is_late = bucket_end_ <= row.watermark;
  if (is_late) late_.Add();
  ReadModels(row);
  bool are_read = false;
  if (Status s = ReadBaselines(row, are_read); !s.ok()) return s;
  if (Status s = is_late ? AddLate(row) : Add(row); !s.ok()) return s;
  if (!are_read) return {};
  return baselines_.Learn(row.time, row.label, Horizon(row));
}

void Evaluating::ReadModels(const Row& row) {
  for (size_t i = 0; i < probabilities_.size(); ++i) {
    const Column& probabilities = *probabilities_[i];
    const double p = probabilities.valid(row.number) ? probabilities.values<double>()[row.number] : -1;
    const bool given = p >= 0 && p <= 1;
    guesses_[i] = {p, p >= 0.5, given};
    if (!given) unpredicted_.Add();
  }
}

Status Evaluating::ReadBaselines(const Row& row, bool& are_read) {
  if (!plan_->has_baselines()) return {};
  const std::span<Guess> guesses = std::span(guesses_).subspan(probabilities_.size());
  Time predicted = row.time;
  if (prediction_times_ != nullptr && prediction_times_->valid(row.number))
    predicted = prediction_times_->values<int64_t>()[row.number];
  are_read = predicted >= Horizon(row);
  if (are_read) return baselines_.Predict(row.number, predicted, guesses);
  too_old_.Add();
  for (Guess& guess : guesses)
    guess.given = false;
  return {};
}

Status Evaluating::Add(const Row& row) {
  const auto is_given = [](const Guess& guess) { return guess.given; };
  if (std::none_of(guesses_.begin(), guesses_.end(), is_given)) return {};
  ExampleLog::Outcome outcome{};
  if (Status s = log_.Add(bucket_start_, row.label, guesses_, outcome); !s.ok()) return s;
  if (outcome == ExampleLog::Outcome::kOther) {
    if (Status s = Fold(bucket_start_); !s.ok()) return s;
    if (Status s = log_.Add(bucket_start_, row.label, guesses_, outcome); !s.ok()) return s;
  }
  if (outcome == ExampleLog::Outcome::kFirst) return SetTimers(row.time, false);
  return outcome == ExampleLog::Outcome::kFull ? Fold(bucket_start_) : Status();
}

// The log's examples of a bucket join its tallies.
Status Evaluating::Fold(Time bucket) {
  const auto add = [&](std::string_view series, std::span<const Scored> examples) {
    bool is_new = false;
    return tallies_.Add({series, SpanKind::kBucket, bucket}, examples, is_new);
  };
  Status folded = log_.Visit(bucket, std::cref(add));
  return folded.ok() ? log_.Empty(bucket) : folded;
}

// An example of a bucket whose time is over.
Status Evaluating::AddLate(const Row& row) {
  if (Status s = Fold(bucket_start_); !s.ok()) return s;  // where its timer is about to fire
  for (size_t i = 0; i < guesses_.size(); ++i) {
    const Guess& guess = guesses_[i];
    if (!guess.given) continue;
    if (Status s = AddLate(i, {guess.probability, guess.answer, row.label}, row); !s.ok()) return s;
  }
  return {};
}

Status Evaluating::AddLate(size_t number, const Scored& example, const Row& row) {
  const Series& series = plan_->series[number];
  TallyId id;
  const auto add = [&](SpanKind kind, Time start, bool& is_new) {
    id = TallyId{series.key, kind, start};
    spans_[number].Added(kind, start, example);
    return tallies_.Add(id, {&example, 1}, is_new);
  };
  bool is_new = false;
  const Time start = bucket_start_;
  bool is_open = false;  // where its timer is about to fire
  if (Status s = tallies_.IsOpen(TallyId{series.key, SpanKind::kBucket, start}, is_open); !s.ok()) return s;
  if (is_open) return add(SpanKind::kBucket, start, is_new);
  if (Status s = add(SpanKind::kRun, 0, is_new); !s.ok()) return s;
  if (start + plan_->longest_window() > row.watermark) {
    if (Status s = add(SpanKind::kBucket, start, is_new); !s.ok()) return s;
    if (is_new) {
      if (Status s = tallies_.SetClosed(id); !s.ok()) return s;
      if (Status s = SetTimers(row.time, true); !s.ok()) return s;
    }
  }
  const Time month_end = EvaluatePlan::MonthEnd(row.time);
  if (!plan_->months || month_end <= row.watermark) return {};
  if (Status s = add(SpanKind::kMonth, StartOfMonth(row.time), is_new); !s.ok() || !is_new) return s;
  return context_.timers().Set(month_end, {0, kMonthEnd});
}

// Of the bucket that holds `time`.
Status Evaluating::SetTimers(Time time, bool closed) {
  Timers timers = context_.timers();
  if (!plan_->windows.empty()) {
    const Time start = plan_->BucketStart(time);
    if (Status s = timers.Set(start + plan_->longest_window(), {0, kForgetBucket}); !s.ok()) return s;
  }
  if (closed) return {};
  if (plan_->months) {
    if (Status s = timers.Set(EvaluatePlan::MonthEnd(time), {0, kMonthEnd}); !s.ok()) return s;
  }
  return timers.Set(FloorTo(time, plan_->every) + plan_->every, {0, kBucketEnd});
}

Status Evaluating::OnTimer(const DueTimer& timer, Emitter& out) {
  const Time end = timer.time;
  if (timer.key == kForgetBucket) return EraseAll(SpanKind::kBucket, end - plan_->longest_window());
  if (Status s = Close(end); !s.ok()) return s;
  rows_.Begin(end);
  const bool month_ends = plan_->months && StartOfMonth(end) == end;
  if (timer.key == kBucketEnd) {
    if (Status s = Write(SpanKind::kRun, 0, end, rows_); !s.ok()) return s;
    for (size_t window = 0; window < plan_->windows.size(); ++window) {
      if (Status s = Write(SpanKind::kBucket, window, end, rows_); !s.ok()) return s;
    }
  }
  if (plan_->months && (timer.key == kMonthEnd || !month_ends)) {
    if (Status s = Write(SpanKind::kMonth, 0, end, rows_); !s.ok()) return s;
  }
  if (timer.key == kMonthEnd) {
    if (Status s = EraseAll(SpanKind::kMonth, StartOfMonth(end - 1)); !s.ok()) return s;
  }
  if (!rows_.empty()) out.Emit(0, rows_.Finish());
  return {};
}

// The bucket that ends at `end`, if it is open, joins the run and its month.
Status Evaluating::Close(Time end) {
  const Time start = plan_->BucketStart(end - 1);
  const Time month = StartOfMonth(start);
  if (Status s = Fold(start); !s.ok()) return s;
  if (Status s = log_.Erase(start); !s.ok()) return s;
  for (size_t i = 0; i < plan_->series.size(); ++i) {
    const Series& series = plan_->series[i];
    const TallyId bucket{series.key, SpanKind::kBucket, start};
    bool is_open = false;
    if (Status s = tallies_.IsOpen(bucket, is_open); !s.ok()) return s;
    if (!is_open) continue;
    if (Status s = tallies_.Merge(bucket, TallyId{series.key, SpanKind::kRun, 0}); !s.ok()) return s;
    if (Status s = spans_[i].JoinedRun(start); !s.ok()) return s;
    if (plan_->months) {
      const TallyId into{series.key, SpanKind::kMonth, month};
      if (Status s = tallies_.Merge(bucket, into); !s.ok()) return s;
      if (Status s = spans_[i].JoinedMonth(month, start); !s.ok()) return s;
    }
    const Status s = plan_->windows.empty() ? tallies_.Erase(bucket) : tallies_.SetClosed(bucket);
    if (!s.ok()) return s;
  }
  return {};
}

Status Evaluating::EraseAll(SpanKind kind, Time start) {
  for (size_t i = 0; i < plan_->series.size(); ++i) {
    if (Status s = spans_[i].Forget(kind, start); !s.ok()) return s;
    if (Status s = tallies_.Erase(TallyId{plan_->series[i].key, kind, start}); !s.ok()) return s;
  }
  return {};
}

// The examples of [since, end).
Status Evaluating::AddSums(const Series& series, SpanKind kind, Time since, Time end, Sums& sums) {
  if (kind != SpanKind::kBucket) return tallies_.AddSums(TallyId{series.key, kind, since}, sums);
  for (Time start = since; start < end; start = plan_->BucketEnd(start)) {
    if (Status s = tallies_.AddSums(TallyId{series.key, kind, start}, sums); !s.ok()) return s;
  }
  return {};
}

Status Evaluating::RocAuc(size_t series, SpanKind kind, size_t window, Time end,
                          std::optional<double>& roc_auc) {
  roc_auc.reset();
  if (!plan_->wants(Metric::kRocAuc)) return {};
  SpanHistograms& spans = spans_[series];
  Histogram* histogram = nullptr;
  const Status s = kind == SpanKind::kRun     ? spans.OfRun(histogram)
                   : kind == SpanKind::kMonth ? spans.OfMonth(StartOfMonth(end - 1), histogram)
                                              : spans.OfWindow(window, end, histogram);
  if (s.ok()) roc_auc = histogram->RocAuc();
  return s;
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
  for (size_t i = 0; i < plan_->series.size(); ++i) {
    const Series& series = plan_->series[i];
    Sums sums;
    if (Status s = AddSums(series, kind, since.value_or(0), end, sums); !s.ok()) return s;
    if (sums.examples == 0) continue;
    std::optional<double> roc_auc;
    if (Status s = RocAuc(i, kind, window, end, roc_auc); !s.ok()) return s;
    for (const Metric metric : plan_->metrics)
      rows.Add(since, series.name, series.is_model, metric, span, ValueOf(metric, sums, roc_auc),
               sums.examples);
  }
  return {};
}

// What is in the log alone is added to the tally's sums one by one, as it will be.
Status Evaluating::AddOpen(const Series& series, Time bucket, Sums& sums, Histogram& histogram) {
  const TallyId id{series.key, SpanKind::kBucket, bucket};
  Sums of_bucket;
  if (Status s = tallies_.AddSums(id, of_bucket); !s.ok()) return s;
  if (Status s = tallies_.Apply(Histogram::Change::kAdd, id, histogram); !s.ok()) return s;
  Status s = log_.Visit(bucket, [&](std::string_view name, std::span<const Scored> examples) -> Status {
    if (name != series.key) return {};
    for (const Scored& example : examples) {
      of_bucket.Add(example);
      histogram.Add(example.label, Histogram::StepOf(example.probability));
    }
    return {};
  });
  sums.Add(of_bucket);
  return s;
}

Status Evaluating::Summarize(Report& report) {
  std::vector<Time> open;
  if (Status s = log_.Buckets(open); !s.ok()) return s;
  for (const Series& series : plan_->series) {
    Sums sums;
    Histogram histogram;
    const TallyId run{series.key, SpanKind::kRun, 0};
    if (Status s = tallies_.AddSums(run, sums); !s.ok()) return s;
    if (Status s = tallies_.Apply(Histogram::Change::kAdd, run, histogram); !s.ok()) return s;
    for (const Time bucket : open) {
      bool is_closed = false;
      if (Status s = tallies_.IsClosed(TallyId{series.key, SpanKind::kBucket, bucket}, is_closed); !s.ok())
        return s;
      if (is_closed) continue;
      if (Status s = AddOpen(series, bucket, sums, histogram); !s.ok()) return s;
    }
    const std::string_view group = series.is_model ? "models" : "baselines";
    for (const Metric metric : plan_->metrics) {
      const std::optional<double> value = ValueOf(metric, sums, histogram.RocAuc());
      if (value) report.Number({group, series.name, kMetricNames[static_cast<size_t>(metric)]}, *value);
    }
    report.Number({group, series.name, "examples"}, static_cast<double>(sums.examples));
  }
  return {};
}

}  // namespace

std::vector<TableSpec> EvaluateTables(uint32_t layout) {
  std::vector<TableSpec> tables = Tallies::Tables(layout);
  tables.push_back(ExampleLog::Table(layout));
  tables.push_back(Answers::Table(layout));
  return tables;
}

std::unique_ptr<Operator> MakeEvaluating(std::shared_ptr<const EvaluatePlan> plan, OperatorContext& context) {
  return std::make_unique<Evaluating>(std::move(plan), context);
}

}  // namespace freshet
