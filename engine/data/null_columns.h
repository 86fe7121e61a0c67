#pragma once
// Columns of nothing but nulls, for outputs that nobody reads. Batches are of few rows and of different
// numbers of them, so some that were made are kept and serve again. One thread; columns of one pool.
#include <array>
#include <cstddef>

#include "engine/data/column.h"

namespace freshet {

class NullColumns {
 public:
  // `rows` times null; valid until the next call.
  const ColumnPtr& Of(Pool& pool, Type type, size_t rows) {
    ColumnPtr& column = columns_[rows % columns_.size()][static_cast<size_t>(type)];
    if (!column || column->rows() != rows) column = NullColumn(pool, type, rows);
    return column;
  }

 private:
  static constexpr size_t kTypes = static_cast<size_t>(Type::kListString) + 1;
  std::array<std::array<ColumnPtr, kTypes>, 8> columns_;  // by the last bits of their rows, then by type
};

}  // namespace freshet
