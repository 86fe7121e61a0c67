#pragma once
// The rows `evaluate` emits at one moment, then at the next. One thread.
#include <optional>
#include <string_view>
#include <vector>

#include "engine/data/batch.h"
#include "operators/evaluation/metrics.h"

namespace freshet {

// time, since, model, baseline, metric, span, value, examples.
Schema MetricRowSchema();

class MetricRows {
 public:
  explicit MetricRows(Pool& pool);
  // Sets the time of all rows up to Finish. REQUIRES: empty().
  void Begin(Time time);
  bool empty() const { return rows_ == 0; }
  // `since`: where the span begins, which ends at `time`; nothing for the whole run.
  void Add(std::optional<Time> since, std::string_view name, bool is_model, Metric metric,
           std::string_view span, std::optional<double> value, int64_t examples);
  Batch Finish();

 private:
  Pool& pool_;
  Time time_ = 0;
  size_t rows_ = 0;
  std::vector<ColumnBuilder> columns_;
  std::vector<ColumnPtr> finished_;  // scratch, as all below
  std::vector<Time> times_;
  std::vector<uint32_t> ordinals_;
};

}  // namespace freshet
