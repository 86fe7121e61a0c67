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
// rows to be read now, once; the caller has it do so (TableCache::ReadMisses). `marks`: scratch.
//
// The memory's latencies of a batch overlap: first the index of all keys is asked for, then the entries, then
// the blocks behind them.
template <class Key, class Cache>
void LookUp(size_t count, const Key& key, const Cache& cache, std::vector<KeyMark>& marks,
            std::vector<TableCache*>& missing, std::span<RawTable::Slot> out) {
  constexpr size_t kFewKeys = 8;  // the processor looks as far ahead by itself
  const auto ask = [&](size_t i, KeyMark mark) {
    if (cache(i).Ask(key(i), mark, out[i])) missing.push_back(&cache(i));
  };
  if (count <= kFewKeys) {
    for (size_t i = 0; i < count; ++i)
      ask(i, MarkOf(key(i)));
    return;
  }
  marks.resize(count);
  for (size_t i = 0; i < count; ++i)
    marks[i] = MarkOf(key(i));
  for (size_t i = 0; i < count; ++i)
    cache(i).PrefetchIndex(marks[i]);
  for (size_t i = 0; i < count; ++i)
    cache(i).PrefetchEntry(marks[i]);
  for (size_t i = 0; i < count; ++i)
    cache(i).PrefetchBlock(marks[i]);
  for (size_t i = 0; i < count; ++i)
    ask(i, marks[i]);
}

}  // namespace freshet
