#include "operators/joins/kept_rows.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "engine/base/bytes.h"

namespace freshet {
namespace {

constexpr size_t kWidest = 8;       // of a value of fixed width
constexpr size_t kTextRoom = 64;    // for texts, before more is made
constexpr size_t kShortText = 128;  // its length is one byte

constexpr bool IsWord(Type type) {
  return type == Type::kFloat64 || type == Type::kInt64 || type == Type::kTimestamp ||
         type == Type::kDuration;
}

bool HasBit(const char* bitmap, size_t i) {
  return (static_cast<uint8_t>(bitmap[i / 8]) >> i % 8 & 1U) != 0;
}
void SetBit(char* bitmap, size_t i) {
  bitmap[i / 8] = static_cast<char>(static_cast<uint8_t>(bitmap[i / 8]) | 1U << i % 8);
}

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

KeptRows::KeptRows(const Schema& schema, std::vector<size_t> chosen, std::string_view name, KeyedTable& lists)
    : schema_(schema), chosen_(std::move(chosen)), name_(name), table_(lists), shards_(lists.shards()) {}

std::string KeptRows::Description() const {
  std::string text;
  AppendVarint(chosen_.size(), text);
  for (const size_t column : chosen_) {
    AppendSized(schema_[column].name, text);
    AppendSized(NameOf(schema_[column].type), text);
  }
  return text;
}

Status KeptRows::Learn(Shard& shard, std::string_view description) {
  auto known = known_.find(description);
  if (known == known_.end()) {
    Result<List> list = ListOf(description);
    if (!list.ok()) return list.status();
    known = known_.emplace(description, static_cast<uint32_t>(lists_.size())).first;
    lists_.push_back(std::move(*list));
  }
  shard.lists.push_back(known->second);
  return {};
}

Result<KeptRows::List> KeptRows::ListOf(std::string_view description) const {
  uint64_t count = 0;
  if (!TakeVarint(description, count)) return Torn();
  List list;
  std::vector<bool> has(chosen_.size());
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view name;
    std::string_view type_name;
    if (!TakeSized(description, name) || !TakeSized(description, type_name)) return Torn();
    const std::optional<Type> type = TypeNamed(type_name);
    if (!type) return Torn();
    Member& member = list.members.emplace_back(Member{*type, kGone});
    const std::optional<size_t> column = schema_.Find(name);
    if (!column || schema_[*column].type != *type) continue;
    const auto at = std::lower_bound(chosen_.begin(), chosen_.end(), *column);
    if (at == chosen_.end() || *at != *column) continue;
    member.column = static_cast<size_t>(at - chosen_.begin());
    has[member.column] = true;
  }
  for (size_t i = 0; i < has.size(); ++i) {
    if (!has[i]) list.lacks.push_back(i);
  }
  return list;
}

Status KeptRows::Open(uint32_t number) {
  KeyedTable::Slot slot;
  if (Status s = table_.Load({number, name_}, slot); !s.ok()) return s;
  Shard& shard = shards_[number];
  shard = {};
  const std::string mine = Description();
  std::string_view rest = slot.bytes();
  shard.present = UINT64_MAX;
  while (!rest.empty()) {
    std::string_view description;
    if (!TakeSized(rest, description)) return Torn();
    if (description == mine) shard.present = shard.lists.size();
    if (Status s = Learn(shard, description); !s.ok()) return s;
  }
  if (shard.present != UINT64_MAX) return {};
  shard.present = shard.lists.size();
  std::string all(slot.bytes());
  AppendSized(mine, all);
  std::memcpy(table_.Edit(slot, static_cast<uint32_t>(all.size())), all.data(), all.size());
  return Learn(shard, mine);
}

// There is always room for the values that are left, were they all of fixed width; others make room
// themselves.
void KeptRows::Encode(const Batch& batch, uint32_t batch_row, uint32_t shard, std::string& out) const {
  AppendVarint(shards_[shard].present, out);
  const std::span<const size_t> chosen = chosen_;
  const size_t count = chosen.size();
  const size_t bitmap = out.size();
  size_t at = bitmap + (count + 7) / 8;
  out.resize(at + kWidest * count + kTextRoom);
  char* bytes = out.data();
  for (size_t i = 0; i < count; ++i) {
    const auto [from, row] = batch.cell(chosen[i], batch_row);
    const Column& column = *from;
    if (!column.valid(row)) continue;
    SetBit(bytes + bitmap, i);
    const Type type = column.type();
    if (IsWord(type)) {
      std::memcpy(bytes + at, &column.values<int64_t>()[row], kWidest);
      at += kWidest;
      continue;
    }
    const std::string_view text = IsText(type) ? column.text(row) : std::string_view();
    if (type == Type::kBool) {
      bytes[at++] = static_cast<char>(column.values<uint8_t>()[row]);
    } else if (IsText(type) && text.size() < kShortText &&
               at + 1 + text.size() + kWidest * (count - i - 1) <= out.size()) {
      bytes[at++] = static_cast<char>(text.size());
      if (!text.empty()) std::memcpy(bytes + at, text.data(), text.size());
      at += text.size();
    } else {
      out.resize(at);
      AppendValue(column, row, out);
      at = out.size();
      out.resize(at + kWidest * (count - i - 1) + kTextRoom);
      bytes = out.data();
    }
  }
  out.resize(at);
}

std::vector<ColumnBuilder> KeptRows::Builders(Pool& pool, size_t expected_rows) const {
  std::vector<ColumnBuilder> builders;
  builders.reserve(chosen_.size());
  for (const size_t column : chosen_)
    builders.emplace_back(pool, schema_[column].type, expected_rows);
  return builders;
}

Status KeptRows::Decode(uint32_t shard, std::string_view& bytes, std::vector<ColumnBuilder>& builders) const {
  const std::vector<uint32_t>& lists = shards_[shard].lists;
  uint64_t number = 0;
  if (!TakeVarint(bytes, number) || number >= lists.size()) return Torn();
  const List& list = lists_[lists[static_cast<size_t>(number)]];
  const size_t width = (list.members.size() + 7) / 8;
  if (bytes.size() < width) return Torn();
  const char* bitmap = bytes.data();
  std::string_view rest = bytes.substr(width);
  const std::span<const Member> members = list.members;
  const std::span<ColumnBuilder> columns = builders;
  for (size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    ColumnBuilder* to = member.column == kGone ? nullptr : &columns[member.column];
    if (!HasBit(bitmap, i)) {
      if (to != nullptr) to->AppendNull();
    } else if (member.type == Type::kFloat64 && to != nullptr) {  // most are
      double value = 0;
      if (!TakeFixed(rest, value)) return Torn();
      to->Append(value);
    } else {
      std::string_view others = rest;  // so that nobody else has the address of `rest`
      if (!TakeValue(member.type, others, to)) return Torn();
      rest = others;
    }
  }
  for (const size_t column : list.lacks)
    columns[column].AppendNull();
  bytes = rest;
  return {};
}

}  // namespace freshet
