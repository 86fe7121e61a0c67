#pragma once
// Bytes of the embedded log (docs/formats.md). Internal to engine/log/local; pure.
//
// The records of a partition lie in chunks: what one transaction wrote to it, cut where it grows large.
// Always: chunks of a partition do not overlap, and none is without records. A chunk's key names the last
// offset it speaks for (the last record itself may have been compacted away), so that a Seek to an offset
// lands on the chunk that has it, or on the next one.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log/log.h"

namespace freshet {

inline constexpr size_t kChunkBytes = 64 << 10;  // a chunk is cut before it grows larger; one record may be

// topic id, partition and last offset, big-endian: the order of a partition is the order of the keys.
void AppendChunkKey(uint32_t topic, int32_t partition, int64_t last, std::string& out);
int64_t OffsetOfKey(std::string_view key);
inline constexpr size_t kPartitionPrefix = 8;  // bytes of the key that name the partition
inline constexpr size_t kChunkKeyBytes = 16;

// A chunk is this and then entries. `span`: the key's offset less the first record's.
void AppendChunkHeader(int64_t span, std::string& out);
// `gap`: how many offsets lie between the record before (for the first: the chunk's first offset) and this.
void AppendEntry(int64_t gap, const OutgoingRecord& record, std::string& out);
void AppendEntry(int64_t gap, std::string_view record, std::string& out);
size_t MostEntryBytes(const OutgoingRecord& record);  // at least what AppendEntry appends where gap is 0

// Goes through the records of a chunk. Any copy of the bytes must outlive it.
class ChunkCursor {
 public:
  ChunkCursor() = default;  // at the end
  // False: no chunk of ours.
  bool Open(int64_t last, std::string_view bytes);
  bool at_end() const { return rest_.empty(); }
  // Takes the next record, for ParseRecord; not at the end. False: damaged.
  bool Next(int64_t& offset, std::string_view& record);

 private:
  std::string_view rest_;
  int64_t next_ = 0;  // offset of the next record where there is no gap
  int64_t last_ = 0;
};

// Views into `bytes`; `headers` holds what record.headers spans. Sets all but the offset. False: not a record
// of ours.
bool ParseRecord(std::string_view bytes, std::vector<Header>& headers, RecordView& record);

}  // namespace freshet
