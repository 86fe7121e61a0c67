#include "operators/joins/join_entry.h"

#include <cstring>

namespace freshet {

Status JoinEntry::Read() {
  if (!slot.present()) return {};
  if (slot.size() >= sizeof(Header)) std::memcpy(&header, slot.data(), sizeof(Header));
  if (slot.size() < sizeof(Header) || slot.size() - sizeof(Header) < header.row_size) {
    return {Code::kCorrupt, "an entry of a label_join in the state is cut short"};
  }
  return {};
}

void JoinEntry::Write(KeyedTable& entries, std::string_view row, std::string_view keep) {
  header.row_size = static_cast<uint32_t>(row.size());
  char* to = entries.Edit(slot, static_cast<uint32_t>(sizeof(Header) + row.size() + keep.size()));
  std::memcpy(to, &header, sizeof(Header));
  if (!row.empty()) std::memcpy(to + sizeof(Header), row.data(), row.size());
  if (!keep.empty()) std::memcpy(to + sizeof(Header) + row.size(), keep.data(), keep.size());
}

void JoinEntry::WriteHeader(KeyedTable& entries) {
  std::memcpy(entries.Edit(slot, slot.size()), &header, sizeof(Header));
}

}  // namespace freshet
