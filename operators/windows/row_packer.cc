#include "operators/windows/row_packer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace freshet {
namespace {

// Writes the values of a column, 8 bytes each, `width` bytes apart.
template <class T, class As>
void Spread(const Column& column, char* to, size_t width) {
  for (const T value : column.values<T>()) {
    const As wide = static_cast<As>(value);
    std::memcpy(to, &wide, sizeof(wide));
    to += width;
  }
}

void WriteValues(const Column& column, char* to, size_t width) {
  switch (column.type()) {
    case Type::kBool:
      return Spread<uint8_t, int64_t>(column, to, width);
    case Type::kFloat64:
      return Spread<double, double>(column, to, width);
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      return Spread<int64_t, int64_t>(column, to, width);
    default:
      return;  // no aggregate reads values of other types
  }
}

bool Present(const Column& column, size_t row) {
  return column.valid(row) && (column.type() != Type::kFloat64 || !std::isnan(column.values<double>()[row]));
}

}  // namespace

size_t RowPacker::Add(const ExprPtr& argument, std::string_view argument_text, bool stored,
                      const ExprPtr& where, std::string_view where_text) {
  Pair pair;
  if (argument != nullptr) {
    const auto same = [&](const Value& v) { return v.text == argument_text; };
    pair.value = static_cast<size_t>(std::find_if(values_.begin(), values_.end(), same) - values_.begin());
    if (pair.value == values_.size()) values_.push_back({argument, std::string(argument_text), false, 0});
    values_[pair.value].stored = values_[pair.value].stored || stored;
  }
  if (where != nullptr) {
    const auto same = [&](const Condition& c) { return c.text == where_text; };
    pair.condition =
        static_cast<size_t>(std::find_if(conditions_.begin(), conditions_.end(), same) - conditions_.begin());
    if (pair.condition == conditions_.size()) conditions_.push_back({where, std::string(where_text)});
  }
  const auto found = std::find(pairs_.begin(), pairs_.end(), pair);
  if (found == pairs_.end()) pairs_.push_back(pair);
  return static_cast<size_t>(std::find(pairs_.begin(), pairs_.end(), pair) - pairs_.begin());
}

void RowPacker::Close() {
  uint32_t offset = sizeof(Time);
  for (Value& value : values_) {
    if (!value.stored) continue;
    value.offset = offset;
    offset += 8;
  }
  bits_offset_ = offset;
  width_ = offset + static_cast<uint32_t>((pairs_.size() + 7) / 8);
}

Operand RowPacker::operand(size_t pair) const {
  const size_t value = pairs_[pair].value;
  return {value == kNone ? 0 : values_[value].offset, bits_offset_ + static_cast<uint32_t>(pair / 8),
          static_cast<uint8_t>(1U << (pair % 8))};
}

std::string RowPacker::Description() const {
  std::string text;
  for (const Value& value : values_) {
    text +=
        value.text + " " + std::string(NameOf(value.program->type())) + (value.stored ? " stored\n" : "\n");
  }
  for (const Condition& condition : conditions_)
    text += "where " + condition.text + "\n";
  for (const Pair& pair : pairs_)
    text += std::to_string(pair.value) + " if " + std::to_string(pair.condition) + "\n";
  return text;
}

void RowPacker::Pack(Pool& pool, const Batch& batch, ExpressionFaults& faults, Scratch& scratch,
                     std::string& out) const {
  const size_t rows = batch.rows();
  out.assign(rows * width_, '\0');
  const std::span<const Time> times = batch.times();
  for (size_t i = 0; i < rows; ++i)
    std::memcpy(out.data() + i * width_, &times[i], sizeof(Time));
  scratch.values.clear();
  for (const Value& value : values_) {
    scratch.values.push_back(value.program->Evaluate(pool, batch, faults));
    if (value.stored) WriteValues(*scratch.values.back(), out.data() + value.offset, width_);
  }
  scratch.conditions.clear();
  for (const Condition& condition : conditions_) {
    scratch.conditions.push_back(condition.program->Evaluate(pool, batch, faults));
  }
  for (size_t p = 0; p < pairs_.size(); ++p) {
    const Column* value = pairs_[p].value == kNone ? nullptr : scratch.values[pairs_[p].value].get();
    const Column* condition =
        pairs_[p].condition == kNone ? nullptr : scratch.conditions[pairs_[p].condition].get();
    char* bits = out.data() + bits_offset_ + p / 8;
    for (size_t i = 0; i < rows; ++i, bits += width_) {
      const bool counts =
          (value == nullptr || Present(*value, i)) &&
          (condition == nullptr || (condition->valid(i) && condition->values<uint8_t>()[i] != 0));
      if (counts) *bits = static_cast<char>(static_cast<uint8_t>(*bits) | (1U << (p % 8)));
    }
  }
  scratch.values.clear();
  scratch.conditions.clear();
}

}  // namespace freshet
