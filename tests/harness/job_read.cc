#include "tests/harness/job_read.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/base/bytes.h"
#include "engine/runtime/closing.h"
#include "state/catalog.h"
#include "tests/harness/job_fixture.h"

namespace freshet {

namespace {

constexpr int kPollsAtMost = 20000;  // without anything coming: a reader that never gets to the end

void ReadPartition(Log& log, Consumer& consumer, const PartitionId& id, std::vector<JobRecord>& records) {
  Result<OffsetRange> range = log.Range(id, Isolation::kCommitted);
  ASSERT_TRUE(range.ok()) << range.status().message();
  if (range->begin >= range->end) return;
  Result<PartitionReader*> reader = consumer.Assign(id, range->begin);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  for (int polls = 0; (*reader)->position() < range->end;) {
    Result<const RecordView*> next = (*reader)->Next();
    ASSERT_TRUE(next.ok()) << next.status().message();
    if (*next == nullptr) {
      ASSERT_LT(++polls, kPollsAtMost) << id.topic << " does not come to its end";
      ASSERT_TRUE(consumer.Poll(10 * kMillisecond).ok());
      continue;
    }
    polls = 0;
    const RecordView& view = **next;
    JobRecord record;
    record.partition = id.partition;
    record.timestamp = view.timestamp;
    if (view.key) record.key = std::string(*view.key);
    if (view.value) record.value = std::string(*view.value);
    for (const Header& header : view.headers)
      record.headers.emplace(header.key, header.value);
    records.push_back(std::move(record));
  }
  ASSERT_TRUE(consumer.Release(id).ok());
}

// A row without a key is a count that each task keeps for itself, and the latest of what it has ever counted:
// only the sum of the counts and the latest of all do not hang on shards.
struct Counted {
  int64_t count = 0;
  int64_t latest = kMinTime;
};
void AddCount(const std::string& table, std::string_view value, std::map<std::string, Counted>& counts) {
  Counted one;
  const bool is_count = TakeFixed(value, one.count) && TakeFixed(value, one.latest) && value.empty();
  EXPECT_TRUE(is_count) << "the row without a key in " << table << " is no count: how do shards compare?";
  Counted& all = counts[table];
  all.count += one.count;
  all.latest = std::max(all.latest, one.latest);
}

}  // namespace

std::vector<JobRecord> ReadTopic(Log& log, const std::string& topic) {
  std::vector<JobRecord> records;
  const Result<std::optional<TopicInfo>> info = log.Find(topic);
  EXPECT_TRUE(info.ok()) << info.status().message();
  if (!info.ok() || !*info) return records;
  Result<std::unique_ptr<Consumer>> consumer = log.OpenConsumer({});
  EXPECT_TRUE(consumer.ok()) << consumer.status().message();
  if (!consumer.ok()) return records;
  for (int32_t p = 0; p < (*info)->partitions; ++p)
    ReadPartition(log, **consumer, {topic, p}, records);
  EXPECT_TRUE((*consumer)->Close(5 * kSecond).ok());
  return records;
}

std::map<std::string, std::string> ReadState(Log& log, const std::string& changelog) {
  // Table numbers are each task's own, so rows are named by their table's name.
  std::map<int32_t, std::map<uint64_t, std::string>> names;
  std::map<int32_t, std::map<std::string, std::string>> rows;
  for (JobRecord& record : ReadTopic(log, changelog)) {
    if (!record.key) continue;
    std::string_view key = *record.key;
    uint64_t table = 0;
    EXPECT_TRUE(TakeVarint(key, table));
    if (table == kCatalogTable) {
      uint64_t number = 0;
      EXPECT_TRUE(TakeVarint(key, number));
      const Result<TableSpec> spec = ReadCatalogRow(record.value.value_or(""));
      EXPECT_TRUE(spec.ok()) << spec.status().message();
      if (spec.ok()) names[record.partition][number] = spec->name;
    } else if (record.value) {
      rows[record.partition][*record.key] = std::move(*record.value);
    } else {
      rows[record.partition].erase(*record.key);
    }
  }
  std::map<std::string, std::string> state;
  std::map<std::string, Counted> counts;
  for (auto& [partition, of_task] : rows) {
    for (auto& [row, value] : of_task) {
      std::string_view key = row;
      uint64_t table = 0;
      EXPECT_TRUE(TakeVarint(key, table));
      const std::string& name = names[partition][table];
      EXPECT_FALSE(name.empty()) << "a row of a table that the catalog does not know";
      if (name == kClosingTable) continue;
      if (key.empty()) {
        AddCount(name, value, counts);
      } else {
        state[name + ": " + std::string(key)] = std::move(value);
      }
    }
  }
  for (const auto& [name, count] : counts)
    state[name + ": "] = std::to_string(count.count) + ", latest " + std::to_string(count.latest);
  return state;
}

}  // namespace freshet
