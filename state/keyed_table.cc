#include "state/keyed_table.h"

#include "state/table_cache.h"
#include "state/table_load.h"

namespace freshet {

KeyedTable::KeyedTable(std::span<RawTable* const> of_shard)
    : tables_(of_shard.begin(), of_shard.end()), budget_(of_shard[0]->cache_->budget()) {
  for (RawTable* table : tables_) {
    table->cache_->SetShard(shards());
    caches_.push_back(table->cache_);
  }
  eras_ = budget_.eras - 1;
}

uint64_t KeyedTable::era() {
  if (eras_ == budget_.eras) return era_;
  eras_ = budget_.eras;
  era_ = 0;
  for (const TableCache* cache : caches_)
    era_ += cache->era();
  return era_;
}

Status KeyedTable::Load(const ShardKeys& keys, std::span<Slot> out) {
  LookUp(
      keys.size(), [&](size_t i) { return keys[i].bytes; },
      [&](size_t i) -> TableCache& { return *caches_[keys[i].shard]; }, marks_, missing_, out);
  Status status;
  for (TableCache* cache : missing_) {
    if (Status s = cache->ReadMisses(); !s.ok() && status.ok()) status = s;
  }
  missing_.clear();
  return status;
}

Status KeyedTable::Load(const ShardKey& key, Slot& out) {
  return caches_[key.shard]->Load(key.bytes, out);
}

char* KeyedTable::Edit(Slot& slot, uint32_t size) {
  return caches_[TableCache::ShardOf(slot)]->Edit(slot, size);
}

void KeyedTable::Erase(Slot& slot) {
  if (slot.present()) caches_[TableCache::ShardOf(slot)]->Erase(slot);
}

Status KeyedTable::Scan(uint32_t shard, std::string_view begin, std::string_view end,
                        const std::function<bool(std::string_view, std::string_view)>& visit) {
  return caches_[shard]->Scan(begin, end, visit);
}

}  // namespace freshet
