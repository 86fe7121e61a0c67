#pragma once
// Which shard each row belongs to: murmur2 of the key's text, as Kafka's clients place records. One thread.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/data/batch.h"

namespace freshet {

// Appends the text of the key made of `columns`: the bare text of one, a JSON array of several.
void AppendRowKey(std::span<const Column* const> columns, size_t row, std::string& out);

// Splits batches by key; keeps its scratch from one to the next.
class Splitter {
 public:
  // For each shard with rows, ascending: the shard and its rows (all of `rows` as they are where one shard
  // has all).
  struct Share {
    uint32_t shard = 0;
    Batch rows;
  };
  std::span<const Share> Split(Pool& pool, const Batch& rows, std::span<const size_t> key, uint32_t shards);

 private:
  std::vector<const Column*> columns_;
  std::vector<uint32_t> shard_of_row_;
  std::vector<std::vector<uint32_t>> rows_of_shard_;
  std::vector<Share> shares_;
  std::string key_;
};

}  // namespace freshet
