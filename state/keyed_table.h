#pragma once
// One keyed table of an operator over all shards that a lane runs of its stage: each shard's rows are in the
// table of its own task, from which they are restored and to which they are committed. One thread.
//
// What RawTable says of slots and of its era holds here too, over all shards.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/key_mark.h"
#include "state/raw_table.h"
#include "state/shard_key.h"

namespace freshet {

struct CacheBudget;

// Keys of a Load, with their shards.
class ShardKeys {
 public:
  void Clear() {
    keys_.Clear();
    shards_.clear();
  }
  size_t size() const { return shards_.size(); }
  ShardKey operator[](size_t i) const { return {shards_[i], keys_[i]}; }
  // The buffer to append the next key's bytes to; EndKey closes it.
  std::string& buffer() { return keys_.buffer(); }
  void EndKey(uint32_t shard) {
    keys_.EndKey();
    shards_.push_back(shard);
  }

 private:
  KeyColumn keys_;
  std::vector<uint32_t> shards_;
};

class KeyedTable {
 public:
  using Slot = RawTable::Slot;

  // The tables by shard, at least one; all share one CacheBudget. They outlive this.
  explicit KeyedTable(std::span<RawTable* const> of_shard);
  KeyedTable(const KeyedTable&) = delete;
  KeyedTable& operator=(const KeyedTable&) = delete;

  uint32_t shards() const { return static_cast<uint32_t>(caches_.size()); }
  RawTable& of(uint32_t shard) { return *tables_[shard]; }
  uint64_t era();
  // One slot a key; the same key twice gives the same entry. Misses are read in one MultiGet a shard. On
  // failure the slots are of no use.
  Status Load(const ShardKeys& keys, std::span<Slot> out);
  Status Load(const ShardKey& key, Slot& out);
  char* Edit(Slot& slot, uint32_t size);
  void Erase(Slot& slot);
  Status Scan(uint32_t shard, std::string_view begin, std::string_view end,
              const std::function<bool(std::string_view key, std::string_view value)>& visit);

 private:
  std::vector<RawTable*> tables_;    // by shard
  std::vector<TableCache*> caches_;  // theirs
  const CacheBudget& budget_;
  uint64_t eras_ = 0;  // of the budget, when era_ was added up
  uint64_t era_ = 0;

  std::vector<KeyMark> marks_;        // scratch
  std::vector<TableCache*> missing_;  // scratch: those with rows to be read
};

}  // namespace freshet
