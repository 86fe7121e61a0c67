#pragma once
// The rows a `label_join` puts out in one call, of one port: the kept row, the kept fields of the label's
// row, and label, label_time, prediction_time, label_state. One thread.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/data/null_columns.h"
#include "operators/joins/kept_rows.h"

namespace freshet {

struct JoinedRow {
  uint32_t shard = 0;             // whose lists `row` and `keep` are of
  std::string_view row;           // as KeptRows has it
  std::string_view keep;          // of the label's row; empty: none
  std::optional<uint64_t> label;  // bits of the value
  std::optional<Time> label_time;
  Time prediction_time = 0;
  std::string_view state;
  Time time = 0;  // of the event
  uint32_t ordinal = 0;
};

class JoinedRows {
 public:
  static constexpr size_t kOwn = 4;  // columns after the kept ones
  // `own`: which of these somebody reads; the others are null.
  JoinedRows(const KeptRows& rows, const KeptRows& keep, Type label, const std::array<bool, kOwn>& own,
             Pool& pool);
  bool empty() const { return times_.empty(); }
  Status Add(const JoinedRow& row);
  Batch Finish(Pool& pool);  // and begins anew

 private:
  void AppendOwn(const JoinedRow& row);
  void AppendLabel(std::optional<uint64_t> bits);
  void FindUnread();
  void SetNulls(Pool& pool);

  const KeptRows& rows_;
  const KeptRows& keep_;
  const std::array<Type, kOwn> own_types_;
  const std::array<bool, kOwn> own_read_;
  std::vector<ColumnBuilder> row_builders_, keep_builders_;
  std::vector<ColumnBuilder> own_builders_;  // label, label_time, prediction_time, label_state
  std::vector<Time> times_;
  std::vector<uint32_t> ordinals_;
  std::vector<ColumnPtr> columns_;  // of the batch before; those that nobody reads serve again
  struct Unread {
    size_t column;
    Type type;
  };
  std::vector<Unread> unread_;   // null in every batch
  size_t null_rows_ = SIZE_MAX;  // that these have
  NullColumns nulls_;
};

// The bits of row `row` of a label column: bool, int64 or float64.
uint64_t LabelBits(const Column& column, size_t row);

}  // namespace freshet
