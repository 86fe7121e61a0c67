#include "operators/joins/joined_rows.h"

#include <array>
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
      state_(pool, Type::kString, 0),
      columns_(rows.schema().size() + keep.schema().size() + 4) {}

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

// The columns that nobody reads are null.
void JoinedRows::SetNulls(Pool& pool) {
  null_rows_ = times_.size();
  std::array<ColumnPtr, static_cast<size_t>(Type::kListString) + 1> nulls;
  ColumnPtr* column = columns_.data();
  for (const KeptRows* rows : {&rows_, &keep_}) {
    for (const Field& field : rows->schema().fields()) {
      ColumnPtr& null = nulls[static_cast<size_t>(field.type)];
      if (!null) null = NullColumn(pool, field.type, null_rows_);
      *column++ = null;
    }
  }
}

Batch JoinedRows::Finish(Pool& pool) {
  if (null_rows_ != times_.size()) SetNulls(pool);
  ColumnPtr* column = columns_.data();
  for (size_t i = 0; i < row_builders_.size(); ++i)
    column[rows_.chosen()[i]] = row_builders_[i].Finish();
  column += rows_.schema().size();
  for (size_t i = 0; i < keep_builders_.size(); ++i)
    column[keep_.chosen()[i]] = keep_builders_[i].Finish();
  column += keep_.schema().size();
  for (ColumnBuilder* builder : {&label_, &label_time_, &prediction_time_, &state_})
    *column++ = builder->Finish();
  Batch batch = Batch::Make(pool, columns_, times_, ordinals_);
  times_.clear();
  ordinals_.clear();
  return batch;
}

}  // namespace freshet
