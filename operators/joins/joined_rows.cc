#include "operators/joins/joined_rows.h"

#include <bit>

namespace freshet {

namespace {
enum Own : size_t { kLabel, kLabelTime, kPredictionTime, kLabelState };
}  // namespace

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

JoinedRows::JoinedRows(const KeptRows& rows, const KeptRows& keep, Type label,
                       const std::array<bool, kOwn>& own, Pool& pool)
    : rows_(rows),
      keep_(keep),
      own_types_{label, Type::kTimestamp, Type::kTimestamp, Type::kString},
      own_read_(own),
      row_builders_(rows.Builders(pool, 0)),
      keep_builders_(keep.Builders(pool, 0)),
      columns_(rows.schema().size() + keep.schema().size() + kOwn) {
  own_builders_.reserve(kOwn);
  for (const Type type : own_types_)
    own_builders_.emplace_back(pool, type, 0);
  FindUnread();
}

void JoinedRows::FindUnread() {
  size_t first = 0;
  for (const KeptRows* rows : {&rows_, &keep_}) {
    auto chosen = rows->chosen().begin();
    for (size_t c = 0; c < rows->schema().size(); ++c) {
      if (chosen != rows->chosen().end() && *chosen == c) {
        ++chosen;
      } else {
        unread_.push_back({first + c, rows->schema()[c].type});
      }
    }
    first += rows->schema().size();
  }
  for (size_t i = 0; i < kOwn; ++i) {
    if (!own_read_[i]) unread_.push_back({first + i, own_types_[i]});
  }
}

Status JoinedRows::Add(const JoinedRow& row) {
  std::string_view bytes = row.row;
  if (Status s = rows_.Decode(row.shard, bytes, row_builders_); !s.ok()) return s;
  if (!row.keep.empty()) {
    bytes = row.keep;
    if (Status s = keep_.Decode(row.shard, bytes, keep_builders_); !s.ok()) return s;
  } else {
    for (ColumnBuilder& builder : keep_builders_)
      builder.AppendNull();
  }
  AppendOwn(row);
  times_.push_back(row.time);
  ordinals_.push_back(row.ordinal);
  return {};
}

void JoinedRows::AppendOwn(const JoinedRow& row) {
  if (own_read_[kLabel]) AppendLabel(row.label);
  if (own_read_[kLabelTime]) {
    ColumnBuilder& times = own_builders_[kLabelTime];
    if (row.label_time) {
      times.Append(*row.label_time);
    } else {
      times.AppendNull();
    }
  }
  if (own_read_[kPredictionTime]) own_builders_[kPredictionTime].Append(row.prediction_time);
  if (own_read_[kLabelState]) own_builders_[kLabelState].Append(row.state);
}

void JoinedRows::AppendLabel(std::optional<uint64_t> bits) {
  ColumnBuilder& labels = own_builders_[kLabel];
  if (!bits) {
    labels.AppendNull();
  } else if (own_types_[kLabel] == Type::kBool) {
    labels.Append(*bits != 0);
  } else if (own_types_[kLabel] == Type::kFloat64) {
    labels.Append(std::bit_cast<double>(*bits));
  } else {
    labels.Append(std::bit_cast<int64_t>(*bits));
  }
}

void JoinedRows::SetNulls(Pool& pool) {
  null_rows_ = times_.size();
  for (const auto& [column, type] : unread_)
    columns_[column] = nulls_.Of(pool, type, null_rows_);
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
  for (size_t i = 0; i < kOwn; ++i) {
    if (own_read_[i]) column[i] = own_builders_[i].Finish();
  }
  Batch batch = Batch::Make(pool, columns_, times_, ordinals_);
  times_.clear();
  ordinals_.clear();
  return batch;
}

}  // namespace freshet
