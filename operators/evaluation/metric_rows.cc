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

MetricRows::MetricRows(Pool& pool) : pool_(pool) {
  const Schema schema = MetricRowSchema();
  columns_.reserve(schema.size());
  for (const Field& field : schema.fields())
    columns_.emplace_back(pool, field.type);
}

void MetricRows::Begin(Time time) {
  time_ = time;
}

void MetricRows::Add(std::optional<Time> since, std::string_view name, bool is_model, Metric metric,
                     std::string_view span, std::optional<double> value, int64_t examples) {
  columns_[0].Append(time_);
  if (since) {
    columns_[1].Append(*since);
  } else {
    columns_[1].AppendNull();
  }
  columns_[is_model ? 2 : 3].Append(name);
  columns_[is_model ? 3 : 2].AppendNull();
  columns_[4].Append(kMetricNames[static_cast<size_t>(metric)]);
  columns_[5].Append(span);
  if (value) {
    columns_[6].Append(*value);
  } else {
    columns_[6].AppendNull();
  }
  columns_[7].Append(examples);
  ++rows_;
}

Batch MetricRows::Finish() {
  for (ColumnBuilder& column : columns_)
    finished_.push_back(column.Finish());
  times_.assign(rows_, time_);
  ordinals_.assign(rows_, 0);
  rows_ = 0;
  Batch batch = Batch::Make(pool_, finished_, times_, ordinals_);
  finished_.clear();  // others may keep the columns, or not
  return batch;
}

}  // namespace freshet
