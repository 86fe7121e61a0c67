#pragma once
// Rows of one stream in processing order: columns, an event time for each row, and each row's ordinal.
// Immutable, shared by counted reference inside one lane, never across threads.
//
// A batch is a node over others: With adds columns and touches no row, Take and Merge choose rows and copy
// nothing until a column is asked for; what was gathered is kept. So operators that pass columns along cost
// nothing for them.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/pool.h"
#include "engine/base/time.h"
#include "engine/data/column.h"

namespace freshet {

// The part of a batch's node that every reader needs; the rest is private to batch.cc.
struct BatchHead {
  mutable uint32_t references = 0;
  uint32_t rows = 0;
  uint32_t columns = 0;
  const Column** at = nullptr;         // one a column: null until somebody asked for it
  const Time* times = nullptr;         // rows entries
  const uint32_t* ordinals = nullptr;  // rows entries
  void Release() const;
};

class Batch {
 public:
  Batch() = default;  // no rows, no columns

  // `times` and `ordinals`: one for each row. The ordinal is the row's place in the lane's source batch; a
  // row that an operator emits carries that of the row that caused it (rows caused by a timer or watermark
  // carry 0).
  static Batch Make(Pool& pool, std::span<const ColumnPtr> columns, std::span<const Time> times,
                    std::span<const uint32_t> ordinals);

  size_t rows() const { return head_ ? head_->rows : 0; }
  size_t columns() const { return head_ ? head_->columns : 0; }
  bool empty() const { return rows() == 0; }
  std::span<const Time> times() const { return {head_ ? head_->times : nullptr, rows()}; }
  std::span<const uint32_t> ordinals() const { return {head_ ? head_->ordinals : nullptr, rows()}; }
  // Lives as long as this batch.
  const Column& column(size_t i) const {
    const Column* known = head_->at[i];
    return known != nullptr ? *known : Find(i);
  }
  // Where the value in column `i` of `row` was made: for one who reads each value once, and so has no use for
  // a gathered column. Lives as long as this batch.
  struct Cell {
    const Column* column;
    uint32_t row;
  };
  Cell cell(size_t i, uint32_t row) const {
    const Column* known = head_->at[i];
    return known != nullptr ? Cell{known, row} : FindCell(i, row);
  }
  ColumnPtr shared(size_t i) const { return ColumnPtr(&column(i)); }

  Batch With(Pool& pool, std::span<const ColumnPtr> added) const;
  Batch Take(Pool& pool, std::span<const uint32_t> rows) const;
  // The columns `columns`, in that order, same rows.
  Batch Project(Pool& pool, std::span<const size_t> columns) const;
  // Other event times for the same rows and columns.
  Batch At(Pool& pool, std::span<const Time> times) const;

  struct Pick {
    uint32_t source;  // index into `sources`
    uint32_t row;
  };
  enum class Ordinals : uint8_t {
    kKept,
    kNew,  // 0, 1, 2, …: a source batch
  };
  // Rows of several batches of one schema, in the order of `picks`.
  static Batch Merge(Pool& pool, std::span<const Batch> sources, std::span<const Pick> picks,
                     Ordinals ordinals = Ordinals::kKept);
  // All rows of `sources` in the order of their ordinals (stable: first by ordinal, then by source).
  static Batch MergeByOrdinal(Pool& pool, std::span<const Batch> sources);

 private:
  explicit Batch(Ref<const BatchHead> head) : head_(std::move(head)) {}
  const Column& Find(size_t i) const;
  Cell FindCell(size_t i, uint32_t row) const;
  Ref<const BatchHead> head_;
};

}  // namespace freshet
