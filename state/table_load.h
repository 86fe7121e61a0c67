#pragma once
// The look-up of many keys at once, in one table or in those of several shards. Internal to state; one
// thread.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "state/table_cache.h"

namespace freshet {

// Finds or makes the entries of `count` keys, `key(i)` in `cache(i)`. `missing`: gets each table that has
// rows to be read now, once; the caller has it do so (TableCache::ReadMisses). `tags`: scratch.
//
// The memory's latencies of a batch overlap: first the index of all keys is asked for, then the entries, then
// the blocks behind them.
template <class Key, class Cache>
void LookUp(size_t count, const Key& key, const Cache& cache, std::vector<uint32_t>& tags,
            std::vector<TableCache*>& missing, std::span<RawTable::Slot> out) {
  constexpr size_t kFewKeys = 2;  // the processor looks as far ahead by itself
  tags.resize(count);
  for (size_t i = 0; i < count; ++i)
    tags[i] = TableCache::TagOf(key(i));
  if (count > kFewKeys) {
    for (size_t i = 0; i < count; ++i)
      cache(i).PrefetchIndex(tags[i]);
    for (size_t i = 0; i < count; ++i)
      cache(i).PrefetchEntry(tags[i]);
    for (size_t i = 0; i < count; ++i)
      cache(i).PrefetchBlock(tags[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    if (cache(i).Ask(key(i), tags[i], out[i])) missing.push_back(&cache(i));
  }
}

}  // namespace freshet
