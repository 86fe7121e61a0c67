#include "engine/log/local/pending_records.h"

#include "engine/log/local/record_format.h"

namespace freshet {

namespace {
constexpr size_t kKeptBytes = 8 << 20;  // a larger transaction gives its room back
}

size_t PendingRecords::AddTopic(const std::string& name, uint32_t topic, int32_t partitions) {
  const size_t first = parts_.size();
  for (int32_t partition = 0; partition < partitions; ++partition) {
    Part& part = parts_.emplace_back();
    part.id = {name, partition};
    part.topic = topic;
  }
  return first;
}

void PendingRecords::Add(size_t index, const OutgoingRecord& record) {
  Part& part = parts_[index];
  if (part.used == 0) touched_.push_back(index);
  const bool fits =
      part.used > 0 && part.chunks[part.used - 1].entries.size() + MostEntryBytes(record) <= kChunkBytes;
  if (!fits && ++part.used > part.chunks.size()) part.chunks.emplace_back();
  Chunk& chunk = part.chunks[part.used - 1];
  const size_t before = chunk.entries.size();
  AppendEntry(0, record, chunk.entries);
  ++chunk.records;
  bytes_ += chunk.entries.size() - before;
}

void PendingRecords::Clear() {
  for (const size_t index : touched_) {
    Part& part = parts_[index];
    for (size_t i = 0; i < part.used; ++i) {
      part.chunks[i].entries.clear();
      part.chunks[i].records = 0;
    }
    if (bytes_ > kKeptBytes) part.chunks.clear();
    part.used = 0;
  }
  touched_.clear();
  bytes_ = 0;
}

}  // namespace freshet
