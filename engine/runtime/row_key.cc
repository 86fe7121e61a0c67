#include "engine/runtime/row_key.h"

#include <cassert>

#include "engine/format/format.h"

namespace freshet {

void AppendRowKey(std::span<const Column* const> columns, size_t row, std::string& out) {
  if (columns.size() == 1) {
    AppendKeyText(*columns[0], row, out);
  } else {
    AppendKeyText(columns, row, out);
  }
}

std::span<const uint32_t> Sharder::ShardsOf(const Batch& rows, std::span<const size_t> key,
                                            Partitioner partitioner, uint32_t shards) {
  if (shards == 1) {
    shard_of_row_.assign(rows.rows(), 0);
    return shard_of_row_;
  }
  assert(!key.empty());
  columns_.clear();
  for (const size_t column : key)
    columns_.push_back(&rows.column(column));
  shard_of_row_.clear();
  for (size_t row = 0; row < rows.rows(); ++row) {
    key_.clear();
    AppendRowKey(columns_, row, key_);
    shard_of_row_.push_back(PartitionOf(partitioner, key_, shards));
  }
  return shard_of_row_;
}

}  // namespace freshet
