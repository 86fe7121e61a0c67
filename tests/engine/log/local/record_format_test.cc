// The bytes of the embedded log: what is appended comes back, and what was cut or bent is noticed.
#include "engine/log/local/record_format.h"

#include <map>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/log/local/key_offsets.h"
#include "engine/log/local/pending_records.h"
#include "tests/harness/log_suite.h"

namespace freshet {
namespace {

// Whether all of the chunk could be read; what was read of it.
bool ReadChunk(int64_t last, std::string_view bytes, std::vector<OwnedRecord>& read) {
  ChunkCursor cursor;
  if (!cursor.Open(last, bytes)) return false;
  std::vector<Header> headers;
  RecordView view;
  while (!cursor.at_end()) {
    std::string_view record;
    if (!cursor.Next(view.offset, record) || !ParseRecord(record, headers, view)) return false;
    read.push_back(Own(view));
  }
  return true;
}

TEST(RecordFormat, KeysSortByTopicPartitionAndOffset) {
  std::string previous;
  for (const uint32_t topic : {0U, 1U, 300U}) {
    for (const int32_t partition : {0, 1, 256}) {
      for (const int64_t last : {int64_t{0}, int64_t{255}, int64_t{256}, int64_t{1} << 40, INT64_MAX}) {
        std::string key;
        AppendChunkKey(topic, partition, last, key);
        EXPECT_EQ(key.size(), kChunkKeyBytes);
        EXPECT_EQ(OffsetOfKey(key), last);
        EXPECT_LT(previous, key);
        previous = key;
      }
    }
  }
}

TEST(RecordFormat, TheBytesAreThoseOfTheDocument) {
  std::string chunk;
  AppendChunkHeader(5, chunk);
  AppendEntry(0, MakeRecord("topic", 0, "k", "v", 2), chunk);
  const std::vector<Header> headers = {{"h", "x"}};
  OutgoingRecord tombstone = MakeRecord("topic", 0, "k", std::nullopt, 3);
  tombstone.headers = headers;
  AppendEntry(4, tombstone, chunk);
  const std::string expected(
      "\x05"
      "\x00\x0c\x03\x02\0\0\0\0\0\0\0\x01kv"
      "\x04\x10\x05\x03\0\0\0\0\0\0\0\x01\x01h\x01x\x01k",
      33);
  EXPECT_EQ(chunk, expected);
}

TEST(RecordFormat, ChunksComeBackWithTheirGaps) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const auto first = static_cast<int64_t>(random.Below(1'000'000));
    std::vector<OwnedRecord> expected;
    std::string entries;
    int64_t next = first;
    const uint64_t records = 1 + random.Below(20);
    for (uint64_t i = 0; i < records; ++i) {
      const auto gap = static_cast<int64_t>(i == 0 || random.Below(2) == 0 ? 0 : random.Below(1'000));
      const std::string key = std::to_string(random.Below(100));
      const std::string value(random.Below(300), 'v');
      OutgoingRecord record = MakeRecord("topic", 0, std::nullopt, std::nullopt, static_cast<Time>(i) - 5);
      if (random.Below(3) != 0) record.key = key;
      if (random.Below(3) != 0) record.value = value;
      const std::vector<Header> headers(random.Below(3), Header{key, value});
      record.headers = headers;
      const size_t before = entries.size();
      AppendEntry(gap, record, entries);
      EXPECT_LE(entries.size() - before, MostEntryBytes(record) + 9);
      RecordView view{next + gap, record.timestamp, record.key, record.value, record.headers};
      expected.push_back(Own(view));
      next += gap + 1;
    }
    const auto beyond = static_cast<int64_t>(random.Below(3));  // the last ones were compacted away
    std::string chunk;
    AppendChunkHeader(next - 1 + beyond - first, chunk);
    chunk += entries;
    std::vector<OwnedRecord> read;
    EXPECT_TRUE(ReadChunk(next - 1 + beyond, chunk, read));
    EXPECT_EQ(read, expected);
  }
}

TEST(RecordFormat, DamageIsNoticed) {
  std::string chunk;
  AppendChunkHeader(1, chunk);
  const size_t header = chunk.size();
  AppendEntry(0, MakeRecord("topic", 0, "key", "value"), chunk);
  const size_t whole = chunk.size();
  AppendEntry(0, MakeRecord("topic", 0, "key", "value"), chunk);
  std::vector<OwnedRecord> read;
  for (size_t size = 0; size < chunk.size(); ++size) {
    if (size != whole) {
      EXPECT_FALSE(ReadChunk(9, chunk.substr(0, size), read)) << size;
    }
  }
  EXPECT_FALSE(ReadChunk(0, chunk, read)) << "it would begin before the partition";
  EXPECT_FALSE(ReadChunk(9, chunk + chunk.substr(header, whole - header), read)) << "more than its span";
  std::string gap = chunk;
  gap[whole] = 1;
  EXPECT_FALSE(ReadChunk(9, gap, read)) << "the second lies behind the chunk's last offset";
  read.clear();
  EXPECT_TRUE(ReadChunk(9, chunk, read));
  EXPECT_EQ(read.size(), 2U);
}

TEST(PendingRecords, CutsChunksAndKeepsNothingOfTheLastTransaction) {
  PendingRecords pending;
  const size_t first = pending.AddTopic("one", 7, 3);
  const size_t second = pending.AddTopic("two", 8, 1);
  EXPECT_EQ(second, first + 3);
  for (const size_t filler : {10U, 2'000U, 300'000U, 10U}) {
    const std::string value(filler, 'f');
    for (int i = 0; i < 100; ++i) {
      pending.Add(first + 2, MakeRecord("one", 2, std::to_string(i), value));
      pending.Add(second, MakeRecord("two", 0, std::nullopt, "small"));
    }
    EXPECT_EQ(pending.touched(), (std::vector<size_t>{first + 2, second}));
    const PendingRecords::Part& part = pending.parts()[first + 2];
    EXPECT_EQ(part.id, (PartitionId{"one", 2}));
    EXPECT_EQ(part.topic, 7U);
    int64_t records = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < part.used; ++i) {
      records += part.chunks[i].records;
      bytes += part.chunks[i].entries.size();
      EXPECT_TRUE(part.chunks[i].entries.size() <= kChunkBytes || part.chunks[i].records == 1);
      if (i > 0 && filler < kChunkBytes) {
        EXPECT_GT(part.chunks[i - 1].entries.size(), kChunkBytes / 2);
      }
    }
    EXPECT_EQ(records, 100);
    EXPECT_GT(bytes, 100 * filler);
    EXPECT_EQ(pending.parts()[second].used, 1U);
    EXPECT_EQ(pending.bytes(), bytes + pending.parts()[second].chunks[0].entries.size());
    pending.Clear();
    EXPECT_EQ(pending.bytes(), 0U);
    EXPECT_TRUE(pending.touched().empty());
    EXPECT_EQ(part.used, 0U);
  }
}

TEST(KeyOffsets, EqualsAMap) {
  KeyOffsets offsets;
  std::map<std::string, int64_t> model;
  Random random(5);
  for (int64_t i = 0; i < 20'000; ++i) {
    std::string key = random.Below(50) == 0 ? "" : "key" + std::to_string(random.Below(5'000));
    if (random.Below(10) == 0) key += std::string(1, '\0');
    offsets.Put(key, i);
    model[key] = i;
    if (i % 1'000 != 0) continue;
    for (const auto& [known, offset] : model)
      ASSERT_EQ(offsets.Find(known), offset);
  }
  EXPECT_EQ(offsets.Find("absent"), std::nullopt);
  EXPECT_GT(offsets.bytes(), model.size() * 30);
}

}  // namespace
}  // namespace freshet
