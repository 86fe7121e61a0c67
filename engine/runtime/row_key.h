#pragma once
// Which shard each row belongs to: a hash of the key's text, as Kafka's clients place records. One thread.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/hash.h"
#include "engine/data/batch.h"

namespace freshet {

// Appends the text of the key made of `columns`: the bare text of one, a JSON array of several.
void AppendRowKey(std::span<const Column* const> columns, size_t row, std::string& out);

// Keeps its scratch from one batch to the next.
class Sharder {
 public:
  // The shard of each row; valid until the next call. REQUIRES: a key, or one shard.
  std::span<const uint32_t> ShardsOf(const Batch& rows, std::span<const size_t> key, Partitioner partitioner,
                                     uint32_t shards);

 private:
  std::vector<const Column*> columns_;
  std::vector<uint32_t> shard_of_row_;
  std::string key_;
};

}  // namespace freshet
