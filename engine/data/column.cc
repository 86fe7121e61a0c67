#include "engine/data/column.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace freshet {

namespace {

size_t WidthOf(Type type) {
  if (type == Type::kBool) return 1;
  return IsText(type) || IsList(type) ? sizeof(uint32_t) : sizeof(int64_t);
}

size_t ValuesBytes(Type type, size_t rows) {
  const size_t entries = IsText(type) || IsList(type) ? rows + 1 : rows;
  return std::max<size_t>(1, entries * WidthOf(type));
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
  if (values_ != nullptr) pool->Free(values_, values_bytes_);
  if (chars_ != nullptr) pool->Free(chars_, chars_bytes_);
  if (validity_ != nullptr) pool->Free(validity_, validity_bytes_);
  this->~Column();
  pool->Free(const_cast<Column*>(this), sizeof(Column));
}

ColumnBuilder::ColumnBuilder(Pool& pool, Type type, size_t expected_rows) : pool_(&pool), type_(type) {
  if (IsList(type)) items_ = std::make_unique<ColumnBuilder>(pool, ItemType(type), expected_rows);
  capacity_ = std::max<size_t>(1, expected_rows);
}

ColumnBuilder::ColumnBuilder(ColumnBuilder&& other) noexcept
    : pool_(other.pool_),
      type_(other.type_),
      rows_(std::exchange(other.rows_, 0)),
      capacity_(other.capacity_),
      values_(std::exchange(other.values_, nullptr)),
      values_bytes_(other.values_bytes_),
      chars_(std::exchange(other.chars_, nullptr)),
      chars_size_(std::exchange(other.chars_size_, 0)),
      chars_bytes_(other.chars_bytes_),
      validity_(std::exchange(other.validity_, nullptr)),
      validity_bytes_(other.validity_bytes_),
      items_(std::move(other.items_)) {}

ColumnBuilder::~ColumnBuilder() {
  if (values_ != nullptr) pool_->Free(values_, values_bytes_);
  if (chars_ != nullptr) pool_->Free(chars_, chars_bytes_);
  if (validity_ != nullptr) pool_->Free(validity_, validity_bytes_);
}

void ColumnBuilder::Grow(size_t rows) {
  if (values_ != nullptr && rows <= capacity_) return;
  const size_t wanted = values_ == nullptr ? std::max(capacity_, rows) : std::max(capacity_ * 2, rows);
  const size_t bytes = ValuesBytes(type_, wanted);
  void* grown = pool_->Allocate(bytes);
  if (values_ != nullptr) {
    std::memcpy(grown, values_, std::min(values_bytes_, ValuesBytes(type_, rows_)));
    pool_->Free(values_, values_bytes_);
  } else if (IsText(type_) || IsList(type_)) {
    static_cast<uint32_t*>(grown)[0] = 0;
  }
  values_ = grown;
  values_bytes_ = bytes;
  capacity_ = wanted;
}

void ColumnBuilder::GrowChars(size_t bytes) {
  if (bytes <= chars_bytes_ && chars_ != nullptr) return;
  const size_t wanted = std::max<size_t>({bytes, chars_ == nullptr ? 0 : chars_bytes_ * 2, 16});
  auto* grown = static_cast<char*>(pool_->Allocate(wanted));
  if (chars_ != nullptr) {
    std::memcpy(grown, chars_, chars_size_);
    pool_->Free(chars_, chars_bytes_);
  }
  chars_ = grown;
  chars_bytes_ = wanted;
}

// Makes room for the bits of `rows` rows, those so far without a bitmap being valid.
void ColumnBuilder::GrowValidity(size_t rows) {
  const size_t needed = ValidityBytes(std::max(rows, capacity_));
  if (validity_ != nullptr && validity_bytes_ >= needed) return;
  auto* grown = static_cast<uint64_t*>(pool_->Allocate(needed));
  std::memset(grown, 0xff, needed);
  if (validity_ != nullptr) {
    std::memcpy(grown, validity_, validity_bytes_);
    pool_->Free(validity_, validity_bytes_);
  }
  validity_ = grown;
  validity_bytes_ = needed;
}

void ColumnBuilder::EndRow(bool valid) {
  if (!valid) GrowValidity(rows_ + 1);
  if (validity_ != nullptr) {
    GrowValidity(rows_ + 1);
    const uint64_t bit = uint64_t{1} << (rows_ & 63);
    validity_[rows_ >> 6] = valid ? validity_[rows_ >> 6] | bit : validity_[rows_ >> 6] & ~bit;
  }
  ++rows_;
}

template <class T>
void ColumnBuilder::Put(T value) {
  Grow(rows_ + 1);
  static_cast<T*>(values_)[rows_] = value;
}

void ColumnBuilder::AppendNull() {
  if (IsText(type_) || IsList(type_)) {
    Grow(rows_ + 1);
    auto* offsets = static_cast<uint32_t*>(values_);
    offsets[rows_ + 1] = offsets[rows_];
  } else if (type_ == Type::kBool) {
    Put<uint8_t>(0);
  } else {
    Put<int64_t>(0);
  }
  EndRow(false);
}

void ColumnBuilder::Append(bool value) {
  Put<uint8_t>(value ? 1 : 0);
  EndRow(true);
}

void ColumnBuilder::Append(int64_t value) {
  Put(value);
  EndRow(true);
}

void ColumnBuilder::Append(double value) {
  Put(value);
  EndRow(true);
}

void ColumnBuilder::Append(std::string_view value) {
  Grow(rows_ + 1);
  GrowChars(chars_size_ + value.size());
  if (!value.empty()) std::memcpy(chars_ + chars_size_, value.data(), value.size());
  chars_size_ += value.size();
  static_cast<uint32_t*>(values_)[rows_ + 1] = static_cast<uint32_t>(chars_size_);
  EndRow(true);
}

void ColumnBuilder::AppendList(std::span<const double> items) {
  Grow(rows_ + 1);
  for (const double item : items)
    items_->Append(item);
  static_cast<uint32_t*>(values_)[rows_ + 1] = static_cast<uint32_t>(items_->rows());
  EndRow(true);
}

void ColumnBuilder::AppendList(std::span<const std::string_view> items) {
  Grow(rows_ + 1);
  for (const std::string_view item : items)
    items_->Append(item);
  static_cast<uint32_t*>(values_)[rows_ + 1] = static_cast<uint32_t>(items_->rows());
  EndRow(true);
}

void ColumnBuilder::AppendFrom(const Column& from, size_t row) {
  if (!from.valid(row)) return AppendNull();
  if (IsText(type_)) return Append(from.text(row));
  if (type_ == Type::kBool) return Append(from.values<uint8_t>()[row] != 0);
  if (!IsList(type_)) {
    Put(from.values<int64_t>()[row]);  // doubles too: the bits are what is copied
    return EndRow(true);
  }
  Grow(rows_ + 1);
  const auto [first, last] = from.list(row);
  for (size_t i = first; i < last; ++i)
    items_->AppendFrom(from.items(), i);
  static_cast<uint32_t*>(values_)[rows_ + 1] = static_cast<uint32_t>(items_->rows());
  EndRow(true);
}

void* ColumnBuilder::FillBytes(size_t rows) {
  Grow(std::max<size_t>(1, rows));
  rows_ = rows;
  return values_;
}

void ColumnBuilder::SetNull(size_t row) {
  GrowValidity(rows_);
  validity_[row >> 6] &= ~(uint64_t{1} << (row & 63));
  if (type_ == Type::kBool) {
    static_cast<uint8_t*>(values_)[row] = 0;
  } else {
    static_cast<int64_t*>(values_)[row] = 0;
  }
}

void ColumnBuilder::RemoveLast() {
  --rows_;
  if (validity_ != nullptr) validity_[rows_ >> 6] |= uint64_t{1} << (rows_ & 63);
  if (IsText(type_)) chars_size_ = static_cast<const uint32_t*>(values_)[rows_];
  if (!IsList(type_)) return;
  while (items_->rows() > static_cast<const uint32_t*>(values_)[rows_])
    items_->RemoveLast();
}

ColumnPtr ColumnBuilder::Finish() {
  Grow(1);
  auto* column = new (pool_->Allocate(sizeof(Column))) Column();
  column->type_ = type_;
  column->rows_ = static_cast<uint32_t>(rows_);
  column->pool_ = pool_;
  column->values_ = values_;
  column->values_bytes_ = values_bytes_;
  column->chars_ = chars_;
  column->chars_bytes_ = chars_bytes_;
  column->validity_ = validity_;
  column->validity_bytes_ = validity_bytes_;
  if (items_ != nullptr) column->items_ = items_->Finish();
  Reset();
  return ColumnPtr(column);
}

void ColumnBuilder::Reset() {
  capacity_ = std::max<size_t>(1, rows_);
  rows_ = 0;
  values_ = nullptr;
  values_bytes_ = 0;
  chars_ = nullptr;
  chars_size_ = 0;
  chars_bytes_ = 0;
  validity_ = nullptr;
  validity_bytes_ = 0;
}

ColumnPtr Gather(Pool& pool, const Column& from, std::span<const uint32_t> rows) {
  ColumnBuilder builder(pool, from.type(), rows.size());
  if (IsText(from.type()) || IsList(from.type())) {
    for (const uint32_t row : rows)
      builder.AppendFrom(from, row);
    return builder.Finish();
  }
  if (from.type() == Type::kBool) {
    const std::span<uint8_t> out = builder.Fill<uint8_t>(rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      out[i] = from.values<uint8_t>()[rows[i]];
  } else {
    const std::span<int64_t> out = builder.Fill<int64_t>(rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      out[i] = from.values<int64_t>()[rows[i]];
  }
  if (from.all_valid()) return builder.Finish();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!from.valid(rows[i])) builder.SetNull(i);
  }
  return builder.Finish();
}

ColumnPtr NullColumn(Pool& pool, Type type, size_t rows) {
  ColumnBuilder builder(pool, type, rows);
  for (size_t i = 0; i < rows; ++i)
    builder.AppendNull();
  return builder.Finish();
}

}  // namespace freshet
