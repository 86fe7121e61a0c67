#include "engine/format/json_paths.h"

#include <algorithm>
#include <bit>

#include "engine/base/hash.h"

namespace freshet {

JsonPaths::JsonPaths(std::span<const InputField> fields) {
  for (size_t i = 0; i < fields.size(); ++i)
    Add(fields[i].path, static_cast<uint32_t>(i));
  Index();
}

void JsonPaths::Add(std::span<const std::string> path, uint32_t field) {
  auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == path[0]; });
  if (entry == entries_.end()) {
    entry = entries_.emplace(entries_.end());
    entry->key = path[0];
    if (path[0].find_first_of("\"\\") == std::string::npos) entry->written = path[0] + '"';
  }
  if (path.size() == 1) {
    entry->fields.push_back(field);
    return;
  }
  if (!entry->inside) entry->inside = std::make_unique<JsonPaths>();
  entry->inside->Add(path.subspan(1), field);
}

void JsonPaths::Index() {
  table_.assign(std::bit_ceil(entries_.size() * 2 + 1), 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t at = Hash64(entries_[i].key) & (table_.size() - 1);
    while (table_[at] != 0)
      at = (at + 1) & (table_.size() - 1);
    table_[at] = static_cast<uint32_t>(i + 1);
    entries_[i].next = i + 1 < entries_.size() ? i + 1 : 0;
    if (entries_[i].inside) entries_[i].inside->Index();
  }
}

JsonPaths::Entry* JsonPaths::Matched(size_t entry) {
  last_ = entry;
  expected_ = entries_[entry].next;
  return &entries_[entry];
}

JsonPaths::Entry* JsonPaths::Expected(std::string_view raw) {
  if (entries_.empty()) return nullptr;
  const std::string& written = entries_[expected_].written;
  return !written.empty() && raw.starts_with(written) ? Matched(expected_) : nullptr;
}

JsonPaths::Entry* JsonPaths::Find(std::string_view key) {
  size_t at = Hash64(key) & (table_.size() - 1);
  for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    const size_t entry = table_[at] - 1;
    if (entries_[entry].key != key) continue;
    (last_ == kNone ? first_ : entries_[last_].next) = entry;
    return Matched(entry);
  }
  return nullptr;
}

}  // namespace freshet
