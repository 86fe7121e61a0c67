// What only the embedded log has: one directory, held by one writer, read beside it, compacted in the
// background.
#include "engine/log/local/local_log.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <rocksdb/db.h>

#include "tests/harness/log_suite.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

using Values = std::vector<std::string>;

class LocalTest : public testing::Test {
 protected:
  std::unique_ptr<Log> Open(bool read_only = false, int64_t least_garbage = 20'000) {
    LocalLogOptions options;
    options.sync = false;
    options.read_only = read_only;
    options.least_garbage = least_garbage;
    return Must(OpenLocalLog(Directory(), options));
  }
  std::string Directory() const { return dir_.File("log"); }
  static void Create(Log& log, const std::string& topic, bool compacted = false) {
    TopicSettings settings;
    settings.compacted = compacted;
    Must(log.Create(topic, settings));
  }
  static void Send(Log& log, const std::string& topic, const std::map<std::string, std::string>& rows) {
    std::unique_ptr<Producer> producer = Must(log.OpenProducer({}));
    for (const auto& [key, value] : rows)
      Must(producer->Send(MakeRecord(topic, 0, key, value)));
    Must(producer->Flush(kSecond));
  }
  static std::vector<OwnedRecord> ReadAll(Log& log, const std::string& topic) {
    std::unique_ptr<Consumer> consumer = Must(log.OpenConsumer({}));
    Must(consumer->Poll(0));
    PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
    std::vector<OwnedRecord> records;
    while (const RecordView* record = Must(reader->Next()))
      records.push_back(Own(*record));
    return records;
  }
  TempDir dir_;
};

TEST_F(LocalTest, ADirectoryIsHeldByOneWriter) {
  std::unique_ptr<Log> log = Open();
  const Status held = OpenLocalLog(Directory(), {}).status();
  EXPECT_EQ(held.code(), Code::kConflict);
  EXPECT_NE(held.message().find(Directory()), std::string::npos) << held.message();
  EXPECT_NE(held.message().find("held by another process"), std::string::npos) << held.message();
  log.reset();
  EXPECT_OK(OpenLocalLog(Directory(), {}).status());
}

// Another process meets another error of the file system than this one.
TEST_F(LocalTest, ADirectoryIsHeldAgainstOtherProcesses) {
  std::unique_ptr<Log> log = Open();
  Process::Options options;
  options.command = {LOG_WRITER, Directory()};
  options.output = dir_.File("output");
  Process other = Must(Process::Start(options));
  EXPECT_EQ(other.Wait(kMinute), 0);
  const std::string said = ReadFile(dir_.File("output"));
  EXPECT_TRUE(said.starts_with("failed " + std::string(NameOf(Code::kConflict)))) << said;
}

TEST_F(LocalTest, OtherFormatsAreRefused) {
  { std::unique_ptr<Log> log = Open(); }
  const std::string key =
      "\xff\xff\xff\xff"
      "format";
  std::string format;
  for (const std::string other : {"1", "3"}) {  // a record each, and what may come
    {
      rocksdb::DB* raw = nullptr;
      ASSERT_TRUE(rocksdb::DB::Open({}, Directory(), &raw).ok());
      const std::unique_ptr<rocksdb::DB> db(raw);
      ASSERT_TRUE(db->Get({}, key, &format).ok());
      if (other == "1") {
        EXPECT_EQ(format, "2");
      }
      ASSERT_TRUE(db->Put({}, key, other).ok());
    }
    for (const bool read_only : {false, true}) {
      LocalLogOptions options;
      options.read_only = read_only;
      const Status refused = OpenLocalLog(Directory(), options).status();
      EXPECT_EQ(refused.code(), Code::kConflict);
      EXPECT_NE(refused.message().find("format " + other + ", this one knows 2"), std::string::npos)
          << refused.message();
      EXPECT_NE(refused.message().find("another directory"), std::string::npos) << refused.message();
    }
  }
}

TEST_F(LocalTest, DamageIsNotTakenForAHeldDirectory) {
  {
    std::unique_ptr<Log> log = Open();
    Create(*log, "topic");
    std::map<std::string, std::string> rows;
    for (int i = 0; i < 2'000; ++i)
      rows["key" + std::to_string(i)] =
          std::to_string(i * 7919) + std::string(100, static_cast<char>('a' + i % 26));
    Send(*log, "topic", rows);
  }
  {
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, Directory(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(db->Flush({}).ok());
  }
  int damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(Directory())) {
    if (file.path().extension() != ".sst" || file.file_size() < 20'000) continue;
    std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(2'000);
    stream.write("damage damage damage", 20);
    ++damaged;
  }
  ASSERT_GT(damaged, 0);
  std::unique_ptr<Log> log = Open();
  std::unique_ptr<Consumer> consumer = Must(log->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  Result<const RecordView*> record = reader->Next();
  while (record.ok() && *record != nullptr)
    record = reader->Next();
  EXPECT_EQ(record.status().code(), Code::kCorrupt) << record.status().message();
  EXPECT_NE(record.status().message().find("put a copy of the directory in its place"), std::string::npos)
      << record.status().message();
}

TEST_F(LocalTest, ADamagedListOfTopicsSaysWhatToDo) {
  const std::string counts = "\x01\xff\xff\xff\xff\xff\xff\xff\x7f";  // more partitions than can be
  for (const std::string& bytes : {std::string(), std::string("\x01"), counts + '\0' + "\1\1"}) {
    Create(*Open(), "topic");
    {
      rocksdb::DB* raw = nullptr;
      ASSERT_TRUE(rocksdb::DB::Open({}, Directory(), &raw).ok());
      const std::unique_ptr<rocksdb::DB> db(raw);
      ASSERT_TRUE(db->Put({}, "\xff\xff\xff\xfftopic.topic", bytes).ok());
    }
    const Status damaged = OpenLocalLog(Directory(), {}).status();
    EXPECT_EQ(damaged.code(), Code::kCorrupt) << damaged.message();
    for (const std::string& part : {std::string("the list of topics"), Directory(),
                                    std::string("put a copy of the directory in its place, or remove it")})
      EXPECT_NE(damaged.message().find(part), std::string::npos) << damaged.message();
    std::filesystem::remove_all(Directory());
  }
}

// Not that it has no such topic, which would be believed.
TEST_F(LocalTest, WhoReadsALogThatLostAFileIsToldSo) {
  for (const bool all : {true, false}) {
    for (const std::string topic : {"first", "second"}) {
      std::unique_ptr<Log> log = Open();  // and a file each, when it is closed
      Create(*log, topic);
      Send(*log, topic, {{"key", "value"}});
    }
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(Directory())) {
      if (file.path().extension() == ".sst") files.push_back(file.path());
    }
    ASSERT_GE(files.size(), 2U);
    std::sort(files.begin(), files.end());
    std::filesystem::remove(files.back());
    if (all) std::filesystem::remove(files.front());
    LocalLogOptions options;
    for (const bool read_only : {true, false}) {
      options.read_only = read_only;
      const Status damaged = OpenLocalLog(Directory(), options).status();
      EXPECT_EQ(damaged.code(), Code::kCorrupt) << damaged.message();
      EXPECT_NE(damaged.message().find("put a copy of the directory in its place"), std::string::npos)
          << damaged.message();
    }
    std::filesystem::remove_all(Directory());
  }
}

// Who follows a topic looks for ever, beside a log that goes on.
TEST_F(LocalTest, AReaderFindsTopicsMadeAfterItLookedInVain) {
  std::unique_ptr<Log> writer = Open();
  std::unique_ptr<Log> other = Open(true);
  std::unique_ptr<Consumer> consumer = Must(other->OpenConsumer({}));
  Must(consumer->Poll(0));
  Create(*writer, "late");
  Must(consumer->Poll(0));
  EXPECT_TRUE(Must(other->Find("late")));
}

// So that one who may read the log needs no place to write.
TEST_F(LocalTest, AReaderWritesNothing) {
  Create(*Open(), "topic");
  const TempDir elsewhere;
  const char* before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  setenv("TMPDIR", elsewhere.path().c_str(), 1);
  const auto files = [](const std::string& directory) {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory))
      names.insert(file.path().string());
    return names;
  };
  const std::set<std::string> written = files(Directory());
  {
    std::unique_ptr<Log> reader = Open(true);
    std::unique_ptr<Consumer> consumer = Must(reader->OpenConsumer({}));
    Must(consumer->Poll(0));
    EXPECT_EQ(files(elsewhere.path()), std::set<std::string>());
    EXPECT_EQ(files(Directory()), written);
  }
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", old.c_str(), 1);
  }
}

// Neither by rights nor by what stands where its folder should: not taken for one that is not there.
TEST_F(LocalTest, OneThatCannotBeReadIsNotTakenForNone) {
  const std::string loop = Directory() + "-loop";
  std::filesystem::create_symlink(loop, loop);
  LocalLogOptions read_only;
  read_only.read_only = true;
  const Status refused = OpenLocalLog(loop, read_only).status();
  EXPECT_EQ(refused.code(), Code::kExhausted) << refused.message();
  EXPECT_NE(refused.message().find("cannot be read: "), std::string::npos) << refused.message();
}

TEST_F(LocalTest, OthersReadBesideTheWriter) {
  LocalLogOptions read_only;
  read_only.read_only = true;
  EXPECT_EQ(OpenLocalLog(Directory(), read_only).status().code(), Code::kNotFound);
  std::unique_ptr<Log> writer = Open();
  Create(*writer, "topic");
  Send(*writer, "topic", {{"k", "1"}});
  std::unique_ptr<Log> other = Open(true);
  EXPECT_EQ(ValuesOf(ReadAll(*other, "topic")), (Values{"1"}));
  std::unique_ptr<Consumer> consumer = Must(other->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  Values read;
  for (const char* value : {"2", "3", "4"}) {
    Send(*writer, "topic", {{"k", value}});
    Must(consumer->Poll(0));
    while (const RecordView* record = Must(reader->Next()))
      read.emplace_back(*record->value);
    EXPECT_TRUE(reader->at_end());
  }
  EXPECT_EQ(read, (Values{"1", "2", "3", "4"}));
  Create(*writer, "later");
  Must(consumer->Poll(0));
  EXPECT_TRUE(Must(other->Find("later")).has_value());
  EXPECT_FALSE(other->OpenProducer({}).ok());
  const Status refused = other->Create("mine", {});
  EXPECT_EQ(refused.code(), Code::kInvalid) << refused.message();
  writer.reset();
  EXPECT_EQ(ValuesOf(ReadAll(*other, "topic")), (Values{"1", "2", "3", "4"})) << "nobody writes any more";
}

// That is so too where the directory is there and another user's, which no test of root's sees.
TEST_F(LocalTest, ADirectoryThatCannotBeSaysWhatToDo) {
  const TempDir dir;
  const std::string file = dir.Write("file", "");
  const Status refused = OpenLocalLog(file + "/log", {}).status();
  EXPECT_EQ(refused.code(), Code::kInvalid);
  EXPECT_EQ(refused.message(),
            "cannot open or make the directory " + file +
                "/log: Not a directory; choose another --local, or give this user the right "
                "to read and write there");
}

// Another process writes, so that nothing wakes the one that waits.
TEST_F(LocalTest, APollBesideTheWriterEndsWhenARecordComes) {
  std::unique_ptr<Log> writer = Open();
  Create(*writer, "topic");
  std::unique_ptr<Log> other = Open(true);
  std::unique_ptr<Consumer> consumer = Must(other->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  const auto start = std::chrono::steady_clock::now();
  for (const std::string value : {"1", "2", "3"}) {
    EXPECT_EQ(Must(reader->Next()), nullptr);
    std::thread sender([&] { Send(*writer, "topic", {{"k", value}}); });
    Must(consumer->Poll(kMinute));
    sender.join();
    const RecordView* record = Must(reader->Next());
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->value, value);
  }
  EXPECT_EQ(Must(reader->Next()), nullptr);
  std::thread waker([&] { consumer->Wake(); });
  Must(consumer->Poll(kMinute));
  waker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST_F(LocalTest, CompactionGoesOnBesideReadersAndTheWriter) {
  std::unique_ptr<Log> log = Open();
  Create(*log, "compacted", true);
  std::unique_ptr<Producer> producer = Must(log->OpenProducer({}));
  std::unique_ptr<Consumer> early = Must(log->OpenConsumer({}));
  PartitionReader* reader = Must(early->Assign({"compacted", 0}, 0));
  std::map<std::string, std::string> expected;
  constexpr int kRecords = 25'000;
  for (int i = 0; i < kRecords; ++i) {
    const std::string key = "key" + std::to_string(i % 97);
    expected[key] = std::to_string(i);
    Must(producer->Send(MakeRecord("compacted", 0, key, expected[key])));
    if (i % 1'000 == 999) Must(producer->Flush(kSecond));
    if (i == 1'500) {
      ASSERT_EQ(Must(reader->Next())->value, "0");
    }
  }
  const OffsetRange range = Must(log->Range({"compacted", 0}, Isolation::kCommitted));
  std::vector<OwnedRecord> records;
  std::unique_ptr<Consumer> waiting = Must(log->OpenConsumer({}));
  for (int i = 0; i < 3'000 && (records = ReadAll(*log, "compacted")).size() > kRecords / 2; ++i)
    Must(waiting->Poll(10 * kMillisecond));
  EXPECT_LT(records.size(), static_cast<size_t>(kRecords / 2));
  std::map<std::string, std::string> last;
  for (const OwnedRecord& record : records)
    last[*record.key] = *record.value;
  EXPECT_EQ(last, expected);
  int64_t offset = 0;
  while (const RecordView* record = Must(reader->Next())) {
    EXPECT_GT(record->offset, offset);
    offset = record->offset;
  }
  EXPECT_EQ(offset, range.end - 1) << "the reader that had begun before";
  producer.reset();
  early.reset();
  waiting.reset();
  log.reset();
  log = Open();
  EXPECT_EQ(Must(log->Range({"compacted", 0}, Isolation::kCommitted)).end, range.end);
}

// Chunks that were joined begin before what is asked for, and speak for offsets that are gone.
TEST_F(LocalTest, EveryOffsetIsFoundAfterCompaction) {
  constexpr int kRecords = 3'000;
  constexpr int kKeys = 700;
  std::unique_ptr<Log> log = Open();
  Create(*log, "compacted", true);
  {
    std::unique_ptr<Producer> producer = Must(log->OpenProducer({}));
    for (int i = 0; i < kRecords; ++i) {
      const std::string key = "key" + std::to_string(i * i % kKeys);
      Must(producer->Send(MakeRecord("compacted", 0, key, std::string(200, 'v'))));
      if (i % 7 == 0) Must(producer->Flush(kSecond));
    }
    Must(producer->Flush(kSecond));
  }
  const std::vector<OwnedRecord> before = ReadAll(*log, "compacted");
  std::map<std::string, int64_t> last;
  for (const OwnedRecord& record : before)
    last[*record.key] = record.offset;
  log.reset();
  log = Open(false, 0);
  std::unique_ptr<Consumer> consumer = Must(log->OpenConsumer({}));
  for (int i = 0; i < 3'000 && ReadAll(*log, "compacted").size() > last.size(); ++i)
    Must(consumer->Poll(10 * kMillisecond));
  std::vector<OwnedRecord> left = ReadAll(*log, "compacted");
  ASSERT_EQ(left.size(), last.size());
  const PartitionId id{"compacted", 0};
  auto expected = left.begin();
  for (int64_t from = 0; from < kRecords; ++from) {
    while (expected != left.end() && expected->offset < from)
      ++expected;
    PartitionReader* reader = Must(consumer->Assign(id, from));
    const RecordView* record = Must(reader->Next());
    ASSERT_EQ(record == nullptr, expected == left.end()) << from;
    if (record != nullptr) {
      ASSERT_EQ(Own(*record), *expected) << from;
    }
    Must(consumer->Release(id));
  }
}

// The tombstone at the end lies years back, and yet it stays: its offset must not be given out again.
TEST_F(LocalTest, OffsetsAreNeverUsedTwice) {
  std::unique_ptr<Log> log = Open();
  Create(*log, "compacted", true);
  Send(*log, "compacted", {{"a", "1"}, {"b", "2"}});
  std::unique_ptr<Producer> producer = Must(log->OpenProducer({}));
  Must(producer->Send(MakeRecord("compacted", 0, "b", std::nullopt)));
  Must(producer->Flush(kSecond));
  producer.reset();
  log.reset();
  log = Open(false, 0);
  std::unique_ptr<Consumer> waiting = Must(log->OpenConsumer({}));
  for (int i = 0; i < 3'000 && ReadAll(*log, "compacted").size() > 2; ++i)
    Must(waiting->Poll(10 * kMillisecond));
  EXPECT_EQ(ValuesOf(ReadAll(*log, "compacted")), (Values{"1", "(tombstone)"}));
  waiting.reset();
  log.reset();
  log = Open();
  EXPECT_EQ(Must(log->Range({"compacted", 0}, Isolation::kCommitted)).end, 3);
  Send(*log, "compacted", {{"c", "3"}});
  EXPECT_EQ(ReadAll(*log, "compacted").back().offset, 3);
}

}  // namespace
}  // namespace freshet
