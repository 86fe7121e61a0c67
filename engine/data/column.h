#pragma once
// A column of a batch: values of one type with a validity bitmap, immutable once built, in memory of a lane's
// pool. One thread. Fixed-width values lie in one contiguous array (bool as uint8_t; timestamps and durations
// as int64_t; the value under a null is 0); texts are offsets and characters; lists are offsets and a child
// column.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/pool.h"
#include "engine/data/type.h"

namespace freshet {

class Column;
using ColumnPtr = Ref<const Column>;

class Column {
 public:
  Type type() const { return type_; }
  size_t rows() const { return rows_; }
  bool all_valid() const { return validity_ == nullptr; }
  bool valid(size_t row) const {
    return validity_ == nullptr || ((validity_[row >> 6] >> (row & 63)) & 1) != 0;
  }
  size_t null_count() const;
  // One bit a row, set where the row has a value; null: every row has. Bits beyond rows() mean nothing.
  const uint64_t* validity() const { return validity_; }

  // T: uint8_t (bool), int64_t (int64, timestamp, duration), double. One entry a row.
  template <class T>
  std::span<const T> values() const {
    return {static_cast<const T*>(values_), rows_};
  }
  // Texts only. Valid while the column lives.
  std::string_view text(size_t row) const {
    const auto* offsets = static_cast<const uint32_t*>(values_);
    return {chars_ + offsets[row], offsets[row + 1] - offsets[row]};
  }
  // Lists only: the items of `row` are rows [first, last) of items().
  std::pair<size_t, size_t> list(size_t row) const {
    const auto* offsets = static_cast<const uint32_t*>(values_);
    return {offsets[row], offsets[row + 1]};
  }
  const Column& items() const { return *items_; }

  mutable uint32_t references = 0;
  void Release() const;

 private:
  friend class ColumnBuilder;
  friend ColumnPtr Slice(Pool& pool, const Column& from, size_t first, size_t rows);
  // The few values of a small column lie in the object itself, so that it is one block of 128 bytes.
  static constexpr size_t kSmallBytes = 40;
  static constexpr size_t kSmallOffsets = 16;  // of those, for offsets; the rest is for characters

  Column() = default;
  const ColumnPtr& base() const { return *reinterpret_cast<const ColumnPtr*>(small_); }
  Type type_ = Type::kFloat64;
  bool is_slice_ = false;  // values lie in another column, base(), which small_ holds
  uint32_t rows_ = 0;
  Pool* pool_ = nullptr;
  void* values_ = nullptr;  // T[rows], or uint32_t[rows + 1] for texts and lists
  char* chars_ = nullptr;
  uint64_t* validity_ = nullptr;  // null: every row is valid
  size_t values_bytes_ = 0;       // from the pool; 0: in small_
  size_t chars_bytes_ = 0;
  size_t validity_bytes_ = 0;
  ColumnPtr items_;
  uint64_t small_validity_;  // of up to 64 rows
  alignas(8) char small_[kSmallBytes];
};

// Builds one column row by row, or, for fixed-width types, all rows at once through Fill. Reusable after
// Finish.
class ColumnBuilder {
 public:
  ColumnBuilder(Pool& pool, Type type, size_t expected_rows = 16)
      : pool_(&pool), type_(type), expected_rows_(expected_rows) {
    if (IsList(type)) MakeItems();
  }
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) = delete;
  ~ColumnBuilder() {
    if (column_ != nullptr || items_ != nullptr) Discard();
  }

  size_t rows() const { return rows_; }
  void AppendNull() { AppendNulls(1); }
  void AppendNulls(size_t count);
  void Append(bool value) { Put<uint8_t>(value ? 1 : 0); }
  void Append(int64_t value) { Put(value); }
  void Append(double value) { Put(value); }
  void Append(std::string_view value);
  void AppendList(std::span<const double> items);
  void AppendList(std::span<const std::string_view> items);
  // Copies row `row` of `from` (same type), null or not.
  void AppendFrom(const Column& from, size_t row);

  // Makes `rows` rows at once and returns their values to be written; all valid until SetNull.
  template <class T>
  std::span<T> Fill(size_t rows) {
    return {static_cast<T*>(FillBytes(rows)), rows};
  }
  void SetNull(size_t row);  // also zeroes the value; for fixed-width types

  // Of fixed-width columns of integers: the value appended last. REQUIRES: rows() > 0.
  int64_t last_integer() const { return static_cast<const int64_t*>(column_->values_)[rows_ - 1]; }
  // Takes back the row appended last. REQUIRES: rows() > 0.
  void RemoveLast();

  ColumnPtr Finish();

 private:
  void MakeItems();
  void Discard();
  void* FillBytes(size_t rows);
  void Start(size_t rows);
  void Grow(size_t rows);
  void GrowChars(size_t bytes);
  void NeedValidity();
  void GrowValidity(size_t rows);
  uint32_t* offsets() { return static_cast<uint32_t*>(column_->values_); }
  template <class T>
  void Put(T value) {
    assert((sizeof(T) == 1) == (type_ == Type::kBool) && !IsText(type_) && !IsList(type_));
    if (rows_ == capacity_) Grow(rows_ + 1);
    static_cast<T*>(column_->values_)[rows_++] = value;
  }

  Pool* pool_;
  Type type_;
  size_t expected_rows_;
  size_t rows_ = 0;
  size_t capacity_ = 0;  // rows that fit before Grow
  size_t chars_size_ = 0;
  size_t chars_capacity_ = 0;
  Column* column_ = nullptr;        // the one being built
  ColumnBuilder* items_ = nullptr;  // lists; in the pool
};

// The rows `rows` of `from`, in that order.
ColumnPtr Gather(Pool& pool, const Column& from, std::span<const uint32_t> rows);
// The `rows` rows of `from` that begin with `first`; copies no value, and keeps `from` in memory.
ColumnPtr Slice(Pool& pool, const Column& from, size_t first, size_t rows);
// `rows` times null.
ColumnPtr NullColumn(Pool& pool, Type type, size_t rows);

}  // namespace freshet
