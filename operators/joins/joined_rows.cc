#include "operators/joins/joined_rows.h"

#include <bit>

namespace freshet {

uint64_t LabelBits(const Column& column, size_t row) {
  switch (column.type()) {
    case Type::kBool:
      return column.values<uint8_t>()[row];
    case Type::kFloat64:
      return std::bit_cast<uint64_t>(column.values<double>()[row]);
    default:
      return std::bit_cast<uint64_t>(column.values<int64_t>()[row]);
  }
}

JoinedRows::JoinedRows(const KeptRows& rows, const KeptRows& keep, Type label, Pool& pool)
    : rows_(rows),
      keep_(keep),
      label_type_(label),
      row_builders_(rows.Builders(pool, 0)),
      keep_builders_(keep.Builders(pool, 0)),
      label_(pool, label, 0),
      label_time_(pool, Type::kTimestamp, 0),
      prediction_time_(pool, Type::kTimestamp, 0),
      state_(pool, Type::kString, 0) {}

Status JoinedRows::Add(const JoinedRow& row) {
  std::string_view bytes = row.row;
  if (Status s = rows_.Decode(bytes, row_builders_); !s.ok()) return s;
  if (!row.keep.empty()) {
    bytes = row.keep;
    if (Status s = keep_.Decode(bytes, keep_builders_); !s.ok()) return s;
  } else {
    for (ColumnBuilder& builder : keep_builders_)
      builder.AppendNull();
  }
  AppendLabel(row.label);
  row.label_time ? label_time_.Append(*row.label_time) : label_time_.AppendNull();
  prediction_time_.Append(row.prediction_time);
  state_.Append(row.state);
  times_.push_back(row.time);
  ordinals_.push_back(row.ordinal);
  return {};
}

void JoinedRows::AppendLabel(std::optional<uint64_t> bits) {
  if (!bits) {
    label_.AppendNull();
  } else if (label_type_ == Type::kBool) {
    label_.Append(*bits != 0);
  } else if (label_type_ == Type::kFloat64) {
    label_.Append(std::bit_cast<double>(*bits));
  } else {
    label_.Append(std::bit_cast<int64_t>(*bits));
  }
}

Batch JoinedRows::Finish(Pool& pool) {
  columns_.clear();
  for (ColumnBuilder& builder : row_builders_)
    columns_.push_back(builder.Finish());
  for (ColumnBuilder& builder : keep_builders_)
    columns_.push_back(builder.Finish());
  for (ColumnBuilder* builder : {&label_, &label_time_, &prediction_time_, &state_})
    columns_.push_back(builder->Finish());
  Batch batch = Batch::Make(pool, columns_, times_, ordinals_);
  columns_.clear();
  times_.clear();
  ordinals_.clear();
  return batch;
}

}  // namespace freshet
