#include "engine/log/local/record_format.h"

#include "engine/base/bytes.h"

namespace freshet {

namespace {
constexpr uint8_t kHasKey = 1;
constexpr uint8_t kHasValue = 2;

void AppendBigEndian(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}
}  // namespace

void AppendRecordKey(uint32_t topic, int32_t partition, int64_t offset, std::string& out) {
  AppendBigEndian(topic, 4, out);
  AppendBigEndian(static_cast<uint32_t>(partition), 4, out);
  AppendBigEndian(static_cast<uint64_t>(offset), 8, out);
}

int64_t OffsetOfKey(std::string_view key) {
  uint64_t offset = 0;
  for (size_t i = kPartitionPrefix; i < key.size(); ++i)
    offset = offset << 8 | static_cast<uint8_t>(key[i]);
  return static_cast<int64_t>(offset);
}

// flags, timestamp, number of headers, headers, key, value (to the end).
void AppendRecord(const OutgoingRecord& record, std::string& out) {
  const auto flags = static_cast<uint8_t>((record.key ? kHasKey : 0) | (record.value ? kHasValue : 0));
  AppendFixed(flags, out);
  AppendFixed(record.timestamp, out);
  AppendVarint(record.headers.size(), out);
  for (const Header& header : record.headers) {
    AppendSized(header.key, out);
    AppendSized(header.value, out);
  }
  if (record.key) AppendSized(*record.key, out);
  if (record.value) out.append(*record.value);
}

bool ParseRecord(std::string_view bytes, std::vector<Header>& headers, RecordView& record) {
  uint8_t flags = 0;
  uint64_t count = 0;
  if (!TakeFixed(bytes, flags) || !TakeFixed(bytes, record.timestamp) || !TakeVarint(bytes, count))
    return false;
  headers.clear();
  for (uint64_t i = 0; i < count; ++i) {
    Header header;
    if (!TakeSized(bytes, header.key) || !TakeSized(bytes, header.value)) return false;
    headers.push_back(header);
  }
  record.headers = headers;
  record.key.reset();
  record.value.reset();
  std::string_view key;
  if ((flags & kHasKey) != 0) {
    if (!TakeSized(bytes, key)) return false;
    record.key = key;
  }
  if ((flags & kHasValue) != 0) record.value = bytes;
  return true;
}

}  // namespace freshet
