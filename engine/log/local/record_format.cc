#include "engine/log/local/record_format.h"

#include "engine/base/bytes.h"

namespace freshet {

namespace {

constexpr uint8_t kHasKey = 1;
constexpr uint8_t kHasValue = 2;
constexpr uint8_t kHasHeaders = 4;
constexpr size_t kMostVarint = 10;

void AppendBigEndian(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7)
    ++bytes;
  return bytes;
}

size_t SizedBytes(std::string_view bytes) {
  return VarintBytes(bytes.size()) + bytes.size();
}

uint8_t FlagsOf(const OutgoingRecord& record) {
  return static_cast<uint8_t>((record.key ? kHasKey : 0) | (record.value ? kHasValue : 0) |
                              (record.headers.empty() ? 0 : kHasHeaders));
}

// What follows the entry's gap and size.
size_t BodyBytes(const OutgoingRecord& record) {
  size_t bytes = 1 + sizeof(record.timestamp);
  if (!record.headers.empty()) bytes += VarintBytes(record.headers.size());
  for (const Header& header : record.headers)
    bytes += SizedBytes(header.key) + SizedBytes(header.value);
  if (record.key) bytes += SizedBytes(*record.key);
  if (record.value) bytes += record.value->size();
  return bytes;
}

bool ParseHeaders(std::string_view& bytes, std::vector<Header>& headers) {
  uint64_t count = 0;
  if (!TakeVarint(bytes, count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    Header header;
    if (!TakeSized(bytes, header.key) || !TakeSized(bytes, header.value)) return false;
    headers.push_back(header);
  }
  return true;
}

}  // namespace

void AppendChunkKey(uint32_t topic, int32_t partition, int64_t last, std::string& out) {
  AppendBigEndian(topic, 4, out);
  AppendBigEndian(static_cast<uint32_t>(partition), 4, out);
  AppendBigEndian(static_cast<uint64_t>(last), 8, out);
}

int64_t OffsetOfKey(std::string_view key) {
  uint64_t offset = 0;
  for (size_t i = kPartitionPrefix; i < key.size(); ++i)
    offset = offset << 8 | static_cast<uint8_t>(key[i]);
  return static_cast<int64_t>(offset);
}

void AppendChunkHeader(int64_t span, std::string& out) {
  AppendVarint(static_cast<uint64_t>(span), out);
}

size_t MostEntryBytes(const OutgoingRecord& record) {
  return 1 + kMostVarint + BodyBytes(record);
}

// gap, size, then of that size: flags, timestamp, number of headers and headers where there are any, key,
// value (to the end).
void AppendEntry(int64_t gap, const OutgoingRecord& record, std::string& out) {
  AppendVarint(static_cast<uint64_t>(gap), out);
  AppendVarint(BodyBytes(record), out);
  AppendFixed(FlagsOf(record), out);
  AppendFixed(record.timestamp, out);
  if (!record.headers.empty()) AppendVarint(record.headers.size(), out);
  for (const Header& header : record.headers) {
    AppendSized(header.key, out);
    AppendSized(header.value, out);
  }
  if (record.key) AppendSized(*record.key, out);
  if (record.value) out.append(*record.value);
}

void AppendEntry(int64_t gap, std::string_view record, std::string& out) {
  AppendVarint(static_cast<uint64_t>(gap), out);
  AppendSized(record, out);
}

bool ChunkCursor::Open(int64_t last, std::string_view bytes) {
  rest_ = {};
  uint64_t span = 0;
  if (!TakeVarint(bytes, span) || span > static_cast<uint64_t>(last) || bytes.empty()) return false;
  next_ = last - static_cast<int64_t>(span);
  last_ = last;
  rest_ = bytes;
  return true;
}

bool ChunkCursor::Next(int64_t& offset, std::string_view& record) {
  uint64_t gap = 0;
  if (next_ > last_ || !TakeVarint(rest_, gap) || gap > static_cast<uint64_t>(last_ - next_)) return false;
  if (!TakeSized(rest_, record)) return false;
  offset = next_ + static_cast<int64_t>(gap);
  next_ = offset + 1;
  return true;
}

bool ParseRecord(std::string_view bytes, std::vector<Header>& headers, RecordView& record) {
  uint8_t flags = 0;
  if (!TakeFixed(bytes, flags) || !TakeFixed(bytes, record.timestamp)) return false;
  headers.clear();
  if ((flags & kHasHeaders) != 0 && !ParseHeaders(bytes, headers)) return false;
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
