#include "operators/joins/kept_rows.h"

#include <cstring>
#include <utility>

#include "engine/base/bytes.h"

namespace freshet {
namespace {

constexpr size_t kWidest = 8;  // of a value of fixed width

void AppendValue(const Column& column, size_t row, std::string& out) {
  switch (column.type()) {
    case Type::kBool:
      return AppendFixed(column.values<uint8_t>()[row], out);
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      return AppendFixed(column.values<int64_t>()[row], out);
    case Type::kFloat64:
      return AppendFixed(column.values<double>()[row], out);
    case Type::kString:
    case Type::kBytes:
      return AppendSized(column.text(row), out);
    case Type::kListFloat64:
    case Type::kListString: {
      const auto [first, last] = column.list(row);
      AppendVarint(last - first, out);
      for (size_t i = first; i < last; ++i)
        AppendValue(column.items(), i, out);
      return;
    }
  }
}

template <class T>
bool TakeInto(std::string_view& bytes, ColumnBuilder* to) {
  T value{};
  if (!TakeFixed(bytes, value)) return false;
  if (to != nullptr) to->Append(value);
  return true;
}

template <class T, class Take>
bool TakeListInto(std::string_view& bytes, ColumnBuilder* to, Take take) {
  uint64_t count = 0;
  if (!TakeVarint(bytes, count) || count > bytes.size()) return false;
  std::vector<T> items(static_cast<size_t>(count));
  for (T& item : items) {
    if (!take(bytes, item)) return false;
  }
  if (to != nullptr) to->AppendList(std::span<const T>(items));
  return true;
}

// Takes a value off the front of `bytes`, to nowhere if `to` is null; false on bytes that are no such value.
bool TakeValue(Type type, std::string_view& bytes, ColumnBuilder* to) {
  switch (type) {
    case Type::kBool: {
      uint8_t value = 0;
      if (!TakeFixed(bytes, value)) return false;
      if (to != nullptr) to->Append(value != 0);
      return true;
    }
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      return TakeInto<int64_t>(bytes, to);
    case Type::kFloat64:
      return TakeInto<double>(bytes, to);
    case Type::kString:
    case Type::kBytes: {
      std::string_view text;
      if (!TakeSized(bytes, text)) return false;
      if (to != nullptr) to->Append(text);
      return true;
    }
    case Type::kListFloat64:
      return TakeListInto<double>(bytes, to, TakeFixed<double>);
    case Type::kListString:
      return TakeListInto<std::string_view>(bytes, to, TakeSized);
  }
  return false;
}

Status Torn() {
  return {Code::kCorrupt, "a kept row in the state cannot be read"};
}

}  // namespace

KeptRows::KeptRows(const Schema& schema, std::vector<size_t> chosen, std::string_view name, RawTable& lists)
    : schema_(schema), chosen_(std::move(chosen)), name_(name), table_(lists) {}

std::string KeptRows::Description() const {
  std::string text;
  AppendVarint(chosen_.size(), text);
  for (const size_t column : chosen_) {
    AppendSized(schema_[column].name, text);
    AppendSized(NameOf(schema_[column].type), text);
  }
  return text;
}

Status KeptRows::Learn(std::string_view description) {
  uint64_t count = 0;
  if (!TakeVarint(description, count)) return Torn();
  List& list = lists_.emplace_back();
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view name;
    std::string_view type_name;
    if (!TakeSized(description, name) || !TakeSized(description, type_name)) return Torn();
    const std::optional<Type> type = TypeNamed(type_name);
    if (!type) return Torn();
    const std::optional<size_t> column = schema_.Find(name);
    list.push_back({*type, column && schema_[*column].type == *type ? *column : kGone});
  }
  return {};
}

Status KeptRows::Open() {
  RawTable::Slot slot;
  if (Status s = table_.Load(name_, slot); !s.ok()) return s;
  const std::string mine = Description();
  std::string_view rest = slot.bytes();
  present_ = UINT64_MAX;
  while (!rest.empty()) {
    std::string_view description;
    if (!TakeSized(rest, description)) return Torn();
    if (description == mine) present_ = lists_.size();
    if (Status s = Learn(description); !s.ok()) return s;
  }
  if (present_ != UINT64_MAX) return {};
  present_ = lists_.size();
  std::string all(slot.bytes());
  AppendSized(mine, all);
  std::memcpy(table_.Edit(slot, static_cast<uint32_t>(all.size())), all.data(), all.size());
  return Learn(mine);
}

void KeptRows::Use(const Batch& batch) {
  columns_.resize(chosen_.size());
  batch.Columns(chosen_, columns_);
}

// There is always room for the values that are left, were they all of fixed width; others make room
// themselves.
void KeptRows::Encode(size_t row, std::string& out) const {
  AppendVarint(present_, out);
  const size_t count = columns_.size();
  const size_t bitmap = out.size();
  size_t at = bitmap + (count + 7) / 8;
  out.resize(at + kWidest * count);
  for (size_t i = 0; i < count; ++i) {
    const Column& column = *columns_[i];
    if (!column.valid(row)) continue;
    char& bits = out[bitmap + i / 8];
    bits = static_cast<char>(static_cast<uint8_t>(bits) | 1U << i % 8);
    if (column.type() == Type::kBool) {
      out[at++] = static_cast<char>(column.values<uint8_t>()[row]);
    } else if (!IsText(column.type()) && !IsList(column.type())) {
      std::memcpy(out.data() + at, &column.values<int64_t>()[row], kWidest);
      at += kWidest;
    } else {
      out.resize(at);
      AppendValue(column, row, out);
      at = out.size();
      out.resize(at + kWidest * (count - i - 1));
    }
  }
  out.resize(at);
}

std::vector<ColumnBuilder> KeptRows::Builders(Pool& pool, size_t expected_rows) const {
  std::vector<ColumnBuilder> builders;
  builders.reserve(schema_.size());
  for (const Field& field : schema_.fields())
    builders.emplace_back(pool, field.type, expected_rows);
  return builders;
}

Status KeptRows::Decode(std::string_view& bytes, std::vector<ColumnBuilder>& builders) const {
  uint64_t number = 0;
  if (!TakeVarint(bytes, number) || number >= lists_.size()) return Torn();
  const List& list = lists_[static_cast<size_t>(number)];
  const size_t width = (list.size() + 7) / 8;
  if (bytes.size() < width) return Torn();
  const std::string_view bitmap = bytes.substr(0, width);
  bytes.remove_prefix(width);
  const size_t complete = builders.empty() ? 0 : builders[0].rows() + 1;
  for (size_t i = 0; i < list.size(); ++i) {
    if ((static_cast<uint8_t>(bitmap[i / 8]) >> i % 8 & 1U) == 0) continue;
    ColumnBuilder* to = list[i].column == kGone ? nullptr : &builders[list[i].column];
    if (!TakeValue(list[i].type, bytes, to)) return Torn();
  }
  for (ColumnBuilder& builder : builders) {
    if (builder.rows() < complete) builder.AppendNull();
  }
  return {};
}

}  // namespace freshet
