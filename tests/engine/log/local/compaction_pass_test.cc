// One pass over one partition, seen after each of its writes: that is where a crash may leave it.
#include "engine/log/local/compaction_pass.h"

#include <map>
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/transaction_log.h>
#include <rocksdb/write_batch.h>

#include "engine/base/random.h"
#include "tests/harness/log_suite.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

using Bytes = std::map<std::string, std::string>;  // what a database holds
constexpr uint32_t kTopic = 3;
constexpr int32_t kPartition = 1;
constexpr Time kOld = 1'000;  // tombstones before kNew are dropped
constexpr Time kNew = 2'000;

// Does to a map what a batch does to a database.
class Applier final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Applier(Bytes& bytes) : bytes_(bytes) {}
  void Put(const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    bytes_[key.ToString()] = value.ToString();
  }
  void Delete(const rocksdb::Slice& key) override { EXPECT_EQ(bytes_.erase(key.ToString()), 1U); }

 private:
  Bytes& bytes_;
};

// The partition's records, in the order in which a reader meets them.
std::vector<OwnedRecord> RecordsOf(const Bytes& bytes) {
  std::string prefix;
  AppendChunkKey(kTopic, kPartition, 0, prefix);
  prefix.resize(kPartitionPrefix);
  std::vector<OwnedRecord> records;
  std::vector<Header> headers;
  for (const auto& [key, chunk] : bytes) {
    if (!key.starts_with(prefix)) continue;
    ChunkCursor cursor;
    EXPECT_TRUE(cursor.Open(OffsetOfKey(key), chunk));
    while (!cursor.at_end()) {
      RecordView view;
      std::string_view record;
      if (!cursor.Next(view.offset, record) || !ParseRecord(record, headers, view)) {
        ADD_FAILURE() << "damaged";
        return records;
      }
      EXPECT_TRUE(records.empty() || view.offset > records.back().offset);
      records.push_back(Own(view));
    }
  }
  return records;
}

class CompactionPassTest : public testing::Test {
 protected:
  void SetUp() override {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, dir_.File("db"), &db).ok());
    db_.reset(db);
    for (const int32_t other : {kPartition - 1, kPartition + 1})  // which are left alone
      Write(other, 100, "\5", "foreign");
  }
  void Write(int32_t partition, int64_t last, const std::string& header, const std::string& entries) {
    std::string key;
    AppendChunkKey(kTopic, partition, last, key);
    ASSERT_TRUE(db_->Put({}, key, header + entries).ok());
  }
  // Random records in random chunks behind what is there.
  void Grow(int64_t records, uint64_t keys) {
    for (const int64_t until = end_ + records; end_ < until;) {
      const auto count = static_cast<int64_t>(1 + random_.Below(60));
      std::string entries;
      for (int64_t i = 0; i < count; ++i) {
        const std::string key = "key" + std::to_string(random_.Below(keys));
        const std::string value = std::to_string(end_ + i) + std::string(random_.Below(600), 'v');
        const Time time = random_.Below(2) == 0 ? kOld : kNew;
        OutgoingRecord record = MakeRecord("topic", kPartition, key, value, time);
        if (random_.Below(6) == 0) record.value.reset();
        if (random_.Below(50) == 0) record.key.reset();
        AppendEntry(0, record, entries);
      }
      end_ += count;
      std::string header;
      AppendChunkHeader(count - 1, header);
      Write(kPartition, end_ - 1, header, entries);
    }
  }
  Bytes Read() const {
    Bytes bytes;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
    for (it->SeekToFirst(); it->Valid(); it->Next())
      bytes[it->key().ToString()] = it->value().ToString();
    return bytes;
  }
  CompactionPass Pass() const { return {*db_, directory_, {kTopic, kPartition, compacted_to_, end_}, kNew}; }
  // What each key means: its last value; deleted ones are not there. Records without a key count by offset.
  static std::map<std::string, OwnedRecord> MeaningOf(const std::vector<OwnedRecord>& records) {
    std::map<std::string, OwnedRecord> meaning;
    for (const OwnedRecord& record : records) {
      const std::string name = record.key.value_or("at " + std::to_string(record.offset));
      meaning.erase(name);
      if (record.value) meaning[name] = record;
    }
    return meaning;
  }
  // What a pass has to leave of these records.
  static std::vector<OwnedRecord> SurvivorsOf(const std::vector<OwnedRecord>& records) {
    std::map<std::string, int64_t> last;
    for (const OwnedRecord& record : records) {
      if (record.key) last[*record.key] = record.offset;
    }
    std::vector<OwnedRecord> survivors;
    for (const OwnedRecord& record : records) {
      const bool superseded = record.key && last[*record.key] > record.offset;
      const bool expired = record.key && !record.value && record.timestamp < kNew;
      const bool newest = record.offset == records.back().offset;
      if (newest || (!superseded && !expired)) survivors.push_back(record);
    }
    return survivors;
  }
  // Runs a pass and looks at every state in between. How many writes it did.
  int RunAndCheck() {
    Bytes state = Read();
    const std::vector<OwnedRecord> before = RecordsOf(state);
    const rocksdb::SequenceNumber sequence = db_->GetLatestSequenceNumber();
    CompactionPass pass = Pass();
    Must(pass.Run(std::atomic<bool>(false)));
    EXPECT_EQ(pass.compacted_to(), end_);
    compacted_to_ = end_;
    int writes = 0;
    if (db_->GetLatestSequenceNumber() > sequence) {
      std::unique_ptr<rocksdb::TransactionLogIterator> log;
      EXPECT_TRUE(db_->GetUpdatesSince(sequence + 1, &log).ok());
      for (; log->Valid(); log->Next()) {
        Applier applier(state);
        EXPECT_TRUE(log->GetBatch().writeBatchPtr->Iterate(&applier).ok());
        EXPECT_EQ(MeaningOf(RecordsOf(state)), MeaningOf(before)) << "after write " << writes;
        ++writes;
      }
    }
    EXPECT_EQ(state, Read());
    const std::vector<OwnedRecord> after = RecordsOf(state);
    EXPECT_EQ(after, SurvivorsOf(before));
    EXPECT_EQ(pass.live(), static_cast<int64_t>(after.size()));
    return writes;
  }

  TempDir dir_;
  const std::string directory_ = "DIR";
  std::unique_ptr<rocksdb::DB> db_;
  Random random_{17};
  int64_t end_ = 0;
  int64_t compacted_to_ = 0;
};

TEST_F(CompactionPassTest, AnyStepLeavesWhatTheRecordsMean) {
  for (const uint64_t keys : {40U, 1'500U, 20'000U, 3U, 700U}) {
    Grow(4'000, keys);
    EXPECT_GT(RunAndCheck(), 0);
    if (HasFailure()) return;
  }
}

// Each pass then goes as far as it can, and the next one from there.
TEST_F(CompactionPassTest, MoreKeysThanFitAreTakenInTurns) {
  Grow(12'000, 6'000);
  const std::vector<OwnedRecord> before = RecordsOf(Read());
  int passes = 0;
  for (; compacted_to_ < end_; ++passes) {
    CompactionPass pass(*db_, directory_, {kTopic, kPartition, compacted_to_, end_}, kNew, 80'000);
    Must(pass.Run(std::atomic<bool>(false)));
    ASSERT_GT(pass.compacted_to(), compacted_to_);
    compacted_to_ = pass.compacted_to();
    EXPECT_EQ(MeaningOf(RecordsOf(Read())), MeaningOf(before));
  }
  EXPECT_GT(passes, 3);
  EXPECT_LT(passes, 50);
  EXPECT_EQ(RecordsOf(Read()), SurvivorsOf(before));
}

TEST_F(CompactionPassTest, WhatIsDoneIsNotDoneAgain) {
  Grow(6'000, 2'000);
  EXPECT_GT(RunAndCheck(), 3);
  EXPECT_EQ(RunAndCheck(), 0) << "a second pass finds nothing to write";
  Grow(200, 30);
  EXPECT_LE(RunAndCheck(), 20) << "only where something was superseded, and the end";
}

TEST_F(CompactionPassTest, ManySmallChunksBecomeFewLargeOnes) {
  for (int i = 0; i < 2'000; ++i) {
    std::string entries;
    AppendEntry(0, MakeRecord("topic", kPartition, std::to_string(i), std::string(300, 'v')), entries);
    Write(kPartition, end_++, std::string(1, '\0'), entries);
  }
  EXPECT_GT(RunAndCheck(), 5);
  EXPECT_LE(Read().size(), 2U + size_t{2'000} * 330 / (kChunkBytes / 2));
}

TEST_F(CompactionPassTest, APassThatIsStoppedIsTakenUpAgain) {
  Grow(5'000, 500);
  const std::map<std::string, OwnedRecord> meaning = MeaningOf(RecordsOf(Read()));
  const Bytes before = Read();
  CompactionPass pass = Pass();
  Must(pass.Run(std::atomic<bool>(true)));
  EXPECT_EQ(Read(), before);
  RunAndCheck();
  EXPECT_EQ(MeaningOf(RecordsOf(Read())), meaning);
}

// Else a log that is opened after a crash would give its offset to another record.
TEST_F(CompactionPassTest, ThePartitionsLastRecordStays) {
  Grow(1'000, 50);
  std::string entries;
  OutgoingRecord tombstone = MakeRecord("topic", kPartition, "key1", "", kOld);
  tombstone.value.reset();
  AppendEntry(0, tombstone, entries);
  Write(kPartition, end_++, std::string(1, '\0'), entries);
  RunAndCheck();
  EXPECT_EQ(RecordsOf(Read()).back().offset, end_ - 1);
}

TEST_F(CompactionPassTest, DamageEndsThePassWithoutHarm) {
  Grow(1'000, 50);
  Write(kPartition, end_, "\2", "not a record");
  ++end_;
  CompactionPass pass = Pass();
  const Bytes before = Read();
  const Status damaged = pass.Run(std::atomic<bool>(false));
  EXPECT_EQ(damaged.code(), Code::kCorrupt);
  EXPECT_EQ(Read(), before);
}

}  // namespace
}  // namespace freshet
