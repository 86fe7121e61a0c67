#include "operators/evaluation/metric_rows.h"

namespace freshet {

Schema MetricRowSchema() {
  return Schema({{"time", Type::kTimestamp, {}},
                 {"since", Type::kTimestamp, {}},
                 {"model", Type::kString, {}},
                 {"baseline", Type::kString, {}},
                 {"metric", Type::kString, {}},
                 {"span", Type::kString, {}},
                 {"value", Type::kFloat64, {}},
                 {"examples", Type::kInt64, {}}});
}

MetricRows::MetricRows(Pool& pool, Time time) : pool_(pool), time_(time) {
  const Schema schema = MetricRowSchema();
  columns_.reserve(schema.size());
  for (const Field& field : schema.fields())
    columns_.emplace_back(pool, field.type);
}

void MetricRows::Add(std::optional<Time> since, std::string_view name, bool is_model, Metric metric,
                     std::string_view span, std::optional<double> value, int64_t examples) {
  columns_[0].Append(time_);
  since ? columns_[1].Append(*since) : columns_[1].AppendNull();
  columns_[is_model ? 2 : 3].Append(name);
  columns_[is_model ? 3 : 2].AppendNull();
  columns_[4].Append(kMetricNames[static_cast<size_t>(metric)]);
  columns_[5].Append(span);
  value ? columns_[6].Append(*value) : columns_[6].AppendNull();
  columns_[7].Append(examples);
  ++rows_;
}

Batch MetricRows::Finish() {
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& column : columns_)
    columns.push_back(column.Finish());
  const std::vector<Time> times(rows_, time_);
  const std::vector<uint32_t> ordinals(rows_, 0);
  rows_ = 0;
  return Batch::Make(pool_, columns, times, ordinals);
}

}  // namespace freshet
