#include "state/raw_table.h"

#include "state/table_cache.h"

namespace freshet {

const TableSpec& RawTable::spec() const {
  return cache_->spec();
}

uint64_t RawTable::era() const {
  return cache_->era();
}

Status RawTable::Load(const KeyColumn& keys, std::span<Slot> out) {
  return cache_->Load(keys, out);
}

Status RawTable::Load(std::string_view key, Slot& out) {
  return cache_->Load(key, out);
}

char* RawTable::Edit(Slot& slot, uint32_t size) {
  return cache_->Edit(slot, size);
}

void RawTable::Erase(Slot& slot) {
  cache_->Erase(slot);
}

Status RawTable::Scan(std::string_view begin, std::string_view end,
                      const std::function<bool(std::string_view, std::string_view)>& visit) {
  return cache_->Scan(begin, end, visit);
}

}  // namespace freshet
