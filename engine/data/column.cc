#include "engine/data/column.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>

namespace freshet {
namespace {

bool HasOffsets(Type type) {
  return IsText(type) || IsList(type);
}

size_t WidthOf(Type type) {
  if (type == Type::kBool) return sizeof(uint8_t);
  return HasOffsets(type) ? sizeof(uint32_t) : sizeof(int64_t);
}

size_t ValuesBytes(Type type, size_t rows) {
  return (rows + (HasOffsets(type) ? 1 : 0)) * WidthOf(type);
}

size_t ValidityBytes(size_t rows) {
  return (rows + 63) / 64 * sizeof(uint64_t);
}

Type ItemType(Type list) {
  return list == Type::kListFloat64 ? Type::kFloat64 : Type::kString;
}

}  // namespace

size_t Column::null_count() const {
  if (validity_ == nullptr) return 0;
  size_t valid = 0;
  for (size_t word = 0; word * 64 < rows_; ++word) {
    const size_t left = rows_ - word * 64;
    const uint64_t mask = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    valid += static_cast<size_t>(std::popcount(validity_[word] & mask));
  }
  return rows_ - valid;
}

void Column::Release() const {
  Pool* pool = pool_;
  if (is_slice_) base().~ColumnPtr();
  if ((values_bytes_ | chars_bytes_ | validity_bytes_) != 0) {
    if (values_bytes_ != 0) pool->Free(values_, values_bytes_);
    if (chars_bytes_ != 0) pool->Free(chars_, chars_bytes_);
    if (validity_bytes_ != 0) pool->Free(validity_, validity_bytes_);
  }
  this->~Column();
  pool->Free(const_cast<Column*>(this), sizeof(Column));
}

void ColumnBuilder::MakeItems() {
  items_ =
      new (pool_->Allocate(sizeof(ColumnBuilder))) ColumnBuilder(*pool_, ItemType(type_), expected_rows_);
}

ColumnBuilder::ColumnBuilder(ColumnBuilder&& other) noexcept
    : pool_(other.pool_),
      type_(other.type_),
      expected_rows_(other.expected_rows_),
      rows_(std::exchange(other.rows_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      chars_size_(std::exchange(other.chars_size_, 0)),
      chars_capacity_(std::exchange(other.chars_capacity_, 0)),
      column_(std::exchange(other.column_, nullptr)),
      items_(std::exchange(other.items_, nullptr)) {}

void ColumnBuilder::Discard() {
  if (column_ != nullptr) column_->Release();
  if (items_ == nullptr) return;
  items_->~ColumnBuilder();
  pool_->Free(items_, sizeof(ColumnBuilder));
}

// Begins a column with room for `rows` rows.
void ColumnBuilder::Start(size_t rows) {
  static_assert(sizeof(Column) == 128);
  column_ = new (pool_->Allocate(sizeof(Column))) Column;
  column_->type_ = type_;
  column_->pool_ = pool_;
  const bool offsets = HasOffsets(type_);
  const size_t small = IsText(type_) ? Column::kSmallOffsets : Column::kSmallBytes;
  if (ValuesBytes(type_, rows) <= small) {
    column_->values_ = column_->small_;
    capacity_ = small / WidthOf(type_) - (offsets ? 1 : 0);
    if (IsText(type_)) {
      column_->chars_ = column_->small_ + Column::kSmallOffsets;
      chars_capacity_ = Column::kSmallBytes - Column::kSmallOffsets;
    }
  } else {
    column_->values_bytes_ = ValuesBytes(type_, rows);
    column_->values_ = pool_->Allocate(column_->values_bytes_);
    capacity_ = rows;
  }
  if (offsets) this->offsets()[0] = 0;
}

void ColumnBuilder::Grow(size_t rows) {
  if (column_ == nullptr) return Start(std::max(expected_rows_, rows));
  const size_t wanted = std::max(rows, capacity_ * 2);
  const size_t bytes = ValuesBytes(type_, wanted);
  void* grown = pool_->Allocate(bytes);
  std::memcpy(grown, column_->values_, ValuesBytes(type_, rows_));
  if (column_->values_bytes_ != 0) pool_->Free(column_->values_, column_->values_bytes_);
  column_->values_ = grown;
  column_->values_bytes_ = bytes;
  capacity_ = wanted;
  if (column_->validity_ != nullptr) GrowValidity(wanted);
}

// Makes room for `bytes` characters in all.
void ColumnBuilder::GrowChars(size_t bytes) {
  const size_t wanted = std::max({bytes, chars_capacity_ * 2, capacity_ * 8});
  auto* grown = static_cast<char*>(pool_->Allocate(wanted));
  if (chars_size_ > 0) std::memcpy(grown, column_->chars_, chars_size_);
  if (column_->chars_bytes_ != 0) pool_->Free(column_->chars_, column_->chars_bytes_);
  column_->chars_ = grown;
  column_->chars_bytes_ = wanted;
  chars_capacity_ = wanted;
}

void ColumnBuilder::NeedValidity() {
  if (column_->validity_ == nullptr) GrowValidity(std::max<size_t>(capacity_, 1));
}

// A bitmap for `rows` rows. Rows without a bit so far, and those to come, are valid.
void ColumnBuilder::GrowValidity(size_t rows) {
  const size_t bytes = ValidityBytes(rows);
  const size_t had = column_->validity_ == nullptr   ? 0
                     : column_->validity_bytes_ == 0 ? sizeof(uint64_t)
                                                     : column_->validity_bytes_;
  if (bytes <= had) return;
  if (had == 0 && bytes == sizeof(uint64_t)) {
    column_->small_validity_ = ~uint64_t{0};
    column_->validity_ = &column_->small_validity_;
    return;
  }
  auto* grown = static_cast<uint64_t*>(pool_->Allocate(bytes));
  std::memset(grown, 0xff, bytes);
  if (had != 0) std::memcpy(grown, column_->validity_, had);
  if (column_->validity_bytes_ != 0) pool_->Free(column_->validity_, column_->validity_bytes_);
  column_->validity_ = grown;
  column_->validity_bytes_ = bytes;
}

void ColumnBuilder::AppendNulls(size_t count) {
  if (count == 0) return;
  const size_t first = rows_;
  if (first + count > capacity_) Grow(first + count);
  rows_ += count;
  if (HasOffsets(type_)) {
    std::fill_n(offsets() + first + 1, count, offsets()[first]);
  } else {
    const size_t width = WidthOf(type_);
    std::memset(static_cast<char*>(column_->values_) + first * width, 0, count * width);
  }
  NeedValidity();
  for (size_t row = first; row < rows_; ++row)
    column_->validity_[row >> 6] &= ~(uint64_t{1} << (row & 63));
}

void ColumnBuilder::Append(std::string_view value) {
  assert(IsText(type_));
  if (rows_ == capacity_) Grow(rows_ + 1);
  const size_t size = chars_size_ + value.size();
  if (size > chars_capacity_) GrowChars(size);
  if (!value.empty()) std::memcpy(column_->chars_ + chars_size_, value.data(), value.size());
  chars_size_ = size;
  offsets()[++rows_] = static_cast<uint32_t>(size);
}

void ColumnBuilder::AppendList(std::span<const double> items) {
  if (rows_ == capacity_) Grow(rows_ + 1);
  for (const double item : items)
    items_->Append(item);
  offsets()[++rows_] = static_cast<uint32_t>(items_->rows());
}

void ColumnBuilder::AppendList(std::span<const std::string_view> items) {
  if (rows_ == capacity_) Grow(rows_ + 1);
  for (const std::string_view item : items)
    items_->Append(item);
  offsets()[++rows_] = static_cast<uint32_t>(items_->rows());
}

void ColumnBuilder::AppendFrom(const Column& from, size_t row) {
  assert(from.type() == type_);
  if (!from.valid(row)) return AppendNull();
  if (IsText(type_)) return Append(from.text(row));
  if (type_ == Type::kBool) return Put(from.values<uint8_t>()[row]);
  if (!IsList(type_)) return Put(from.values<int64_t>()[row]);  // doubles too: the bits are what is copied
  if (rows_ == capacity_) Grow(rows_ + 1);
  const auto [first, last] = from.list(row);
  for (size_t i = first; i < last; ++i)
    items_->AppendFrom(from.items(), i);
  offsets()[++rows_] = static_cast<uint32_t>(items_->rows());
}

void* ColumnBuilder::FillBytes(size_t rows) {
  assert(!HasOffsets(type_) && rows_ == 0);
  if (column_ == nullptr) {
    Start(rows);
  } else if (rows > capacity_) {
    Grow(rows);
  }
  rows_ = rows;
  return column_->values_;
}

void ColumnBuilder::SetNull(size_t row) {
  assert(!HasOffsets(type_) && row < rows_);
  NeedValidity();
  column_->validity_[row >> 6] &= ~(uint64_t{1} << (row & 63));
  if (type_ == Type::kBool) {
    static_cast<uint8_t*>(column_->values_)[row] = 0;
  } else {
    static_cast<int64_t*>(column_->values_)[row] = 0;
  }
}

void ColumnBuilder::RemoveLast() {
  --rows_;
  if (column_->validity_ != nullptr) column_->validity_[rows_ >> 6] |= uint64_t{1} << (rows_ & 63);
  if (IsText(type_)) chars_size_ = offsets()[rows_];
  if (!IsList(type_)) return;
  while (items_->rows() > offsets()[rows_])
    items_->RemoveLast();
}

ColumnPtr ColumnBuilder::Finish() {
  if (column_ == nullptr) Start(0);
  column_->rows_ = static_cast<uint32_t>(rows_);
  if (items_ != nullptr) column_->items_ = items_->Finish();
  expected_rows_ = rows_;  // the next is likely to be of this size
  rows_ = 0;
  capacity_ = 0;
  chars_size_ = 0;
  chars_capacity_ = 0;
  return ColumnPtr(std::exchange(column_, nullptr));
}

ColumnPtr Gather(Pool& pool, const Column& from, std::span<const uint32_t> rows) {
  ColumnBuilder builder(pool, from.type(), rows.size());
  if (HasOffsets(from.type())) {
    for (const uint32_t row : rows)
      builder.AppendFrom(from, row);
    return builder.Finish();
  }
  const auto copy = [&]<class T>(std::span<T> out) {
    const std::span<const T> values = from.values<T>();
    for (size_t i = 0; i < rows.size(); ++i)
      out[i] = values[rows[i]];
  };
  if (from.type() == Type::kBool) {
    copy(builder.Fill<uint8_t>(rows.size()));
  } else {
    copy(builder.Fill<int64_t>(rows.size()));
  }
  if (from.all_valid()) return builder.Finish();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!from.valid(rows[i])) builder.SetNull(i);
  }
  return builder.Finish();
}

// Texts and lists point into the same characters and items: their offsets need not begin with 0.
ColumnPtr Slice(Pool& pool, const Column& from, size_t first, size_t rows) {
  assert(first + rows <= from.rows());
  if (rows == from.rows()) return ColumnPtr(&from);
  auto* slice = new (pool.Allocate(sizeof(Column))) Column;
  slice->type_ = from.type_;
  slice->is_slice_ = true;
  slice->rows_ = static_cast<uint32_t>(rows);
  slice->pool_ = &pool;
  slice->values_ = static_cast<char*>(from.values_) + first * WidthOf(from.type_);
  slice->chars_ = from.chars_;
  slice->items_ = from.items_;
  new (slice->small_) ColumnPtr(from.is_slice_ ? from.base() : ColumnPtr(&from));
  if (from.all_valid()) return ColumnPtr(slice);
  // Only the bits are copied, as they need not begin at a word.
  uint64_t* bits = &slice->small_validity_;
  if (rows > 64) {
    slice->validity_bytes_ = ValidityBytes(rows);
    bits = static_cast<uint64_t*>(pool.Allocate(slice->validity_bytes_));
  }
  const size_t shift = first % 64;
  for (size_t at = 0; at < rows; at += 64) {
    const size_t word = (first + at) / 64;
    const bool crosses = shift + std::min<size_t>(rows - at, 64) > 64;
    bits[at / 64] = from.validity_[word] >> shift | (crosses ? from.validity_[word + 1] << (64 - shift) : 0);
  }
  slice->validity_ = bits;
  if (slice->null_count() == 0) {
    slice->validity_ = nullptr;
    if (slice->validity_bytes_ != 0) pool.Free(bits, std::exchange(slice->validity_bytes_, 0));
  }
  return ColumnPtr(slice);
}

ColumnPtr NullColumn(Pool& pool, Type type, size_t rows) {
  ColumnBuilder builder(pool, type, rows);
  builder.AppendNulls(rows);
  return builder.Finish();
}

}  // namespace freshet
