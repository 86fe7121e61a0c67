#include "engine/runtime/row_key.h"

#include "engine/base/hash.h"
#include "engine/format/format.h"

namespace freshet {

void AppendRowKey(std::span<const Column* const> columns, size_t row, std::string& out) {
  if (columns.size() == 1) {
    AppendKeyText(*columns[0], row, out);
  } else {
    AppendKeyText(columns, row, out);
  }
}

std::span<const Splitter::Share> Splitter::Split(Pool& pool, const Batch& rows, std::span<const size_t> key,
                                                 uint32_t shards) {
  shares_.clear();
  if (shards == 1) {
    shares_.push_back({0, rows});
    return shares_;
  }
  columns_.clear();
  for (const size_t column : key)
    columns_.push_back(&rows.column(column));
  shard_of_row_.clear();
  bool one = true;
  for (size_t row = 0; row < rows.rows(); ++row) {
    key_.clear();
    AppendRowKey(columns_, row, key_);
    shard_of_row_.push_back(ShardOf(key_, shards));
    one = one && shard_of_row_[row] == shard_of_row_[0];
  }
  if (one) {
    shares_.push_back({shard_of_row_[0], rows});
    return shares_;
  }
  rows_of_shard_.resize(shards);
  for (uint32_t row = 0; row < shard_of_row_.size(); ++row)
    rows_of_shard_[shard_of_row_[row]].push_back(row);
  for (uint32_t shard = 0; shard < shards; ++shard) {
    if (rows_of_shard_[shard].empty()) continue;
    shares_.push_back({shard, rows.Take(pool, rows_of_shard_[shard])});
    rows_of_shard_[shard].clear();
  }
  return shares_;
}

}  // namespace freshet
