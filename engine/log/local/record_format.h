#pragma once
// Bytes of the embedded log (docs/formats.md). Internal to engine/log/local; pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log/log.h"

namespace freshet {

// topic id, partition and offset, big-endian: the order of a partition is the order of the keys.
void AppendRecordKey(uint32_t topic, int32_t partition, int64_t offset, std::string& out);
int64_t OffsetOfKey(std::string_view key);
inline constexpr size_t kPartitionPrefix = 8;  // bytes of the key that name the partition

void AppendRecord(const OutgoingRecord& record, std::string& out);
// Views into `bytes`; `headers` holds what record.headers spans. False: not a record of ours.
bool ParseRecord(std::string_view bytes, std::vector<Header>& headers, RecordView& record);

}  // namespace freshet
