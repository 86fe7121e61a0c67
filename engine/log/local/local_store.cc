#include "engine/log/local/local_store.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <thread>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "engine/base/bytes.h"
#include "engine/base/logging.h"
#include "engine/log/local/record_format.h"
#include "engine/log/local/rocks_status.h"

namespace freshet {

namespace {

constexpr std::string_view kFormat = "2";
constexpr int64_t kMostRecordBytes = 1 << 20;
constexpr int kMostFiles = 16;  // of about the same size, before they are merged into one
// Keys of what is not a record sort after all records: topic ids stay far below.
const std::string kMeta = "\xff\xff\xff\xff";
const std::string kFormatKey = kMeta + "format";
const std::string kTopicKey = kMeta + "topic.";
const std::string kGroupKey = kMeta + "group.";

std::string PositionKey(const std::string& group, const PartitionId& id) {
  std::string key = kGroupKey;
  AppendOrdered(std::string_view(group), key);
  AppendOrdered(std::string_view(id.topic), key);
  AppendOrdered(static_cast<int64_t>(id.partition), key);
  return key;
}

bool DecodeTopic(std::string_view in, LocalStore::Topic& topic) {
  uint64_t id = 0;
  uint64_t partitions = 0;
  uint8_t compacted = 0;
  if (!TakeVarint(in, id) || !TakeVarint(in, partitions) || !TakeFixed(in, compacted)) return false;
  if (partitions > in.size()) return false;  // before so much memory is asked for
  topic.id = static_cast<uint32_t>(id);
  topic.info = {static_cast<int32_t>(partitions), kMostRecordBytes, compacted != 0};
  topic.ends.assign(partitions, 0);
  topic.failed_at = topic.ends;
  for (uint64_t p = 0; p < partitions; ++p) {
    uint64_t to = 0;
    uint64_t live = 0;
    if (!TakeVarint(in, to) || !TakeVarint(in, live)) return false;
    topic.compacted_to.push_back(static_cast<int64_t>(to));
    topic.live.push_back(static_cast<int64_t>(live));
  }
  return true;
}

// RocksDB's own log, which nobody reads. As a file it would end the process on a full disk: Debian's library
// asserts that nothing is written to a file after a write to it has failed.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options OptionsOf(const LocalLogOptions& options) {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  // A log is written once and read soon: merging its files costs more than it saves. So they are large, many
  // may stand side by side, and only what was merged is compressed.
  rocks.compaction_style = rocksdb::kCompactionStyleUniversal;
  rocks.compaction_options_universal.compression_size_percent = 80;
  rocks.compression = rocksdb::kLZ4Compression;
  rocks.level0_file_num_compaction_trigger = kMostFiles;
  rocks.level0_slowdown_writes_trigger = 2 * kMostFiles;
  rocks.level0_stop_writes_trigger = 4 * kMostFiles;
  rocks.write_buffer_size = static_cast<size_t>(std::max<int64_t>(options.memory_bytes / 8 * 3, 1 << 20));
  rocks.max_write_buffer_number = 2;
  rocks.info_log = std::make_shared<NoLog>();
  rocks.max_open_files = 256;
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(static_cast<size_t>(options.memory_bytes / 8));
  table.block_size = 16 << 10;
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return rocks;
}

}  // namespace

std::string LocalStore::TopicKey(const std::string& name) {
  return kTopicKey + name;
}

std::string LocalStore::EncodeTopic(const Topic& topic) {
  std::string out;
  AppendVarint(topic.id, out);
  AppendVarint(static_cast<uint64_t>(topic.info.partitions), out);
  AppendFixed(static_cast<uint8_t>(topic.info.compacted), out);
  for (size_t p = 0; p < topic.compacted_to.size(); ++p) {
    AppendVarint(static_cast<uint64_t>(topic.compacted_to[p]), out);
    AppendVarint(static_cast<uint64_t>(topic.live[p]), out);
  }
  return out;
}

struct LocalStore::Background {
  std::condition_variable changed;
  std::thread compactor;
};

LocalStore::LocalStore(std::string directory, LocalLogOptions options)
    : directory_(std::move(directory)), options_(options), background_(std::make_unique<Background>()) {}

LocalStore::~LocalStore() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  background_->changed.notify_all();
  if (background_->compactor.joinable()) background_->compactor.join();
  // So that the next one to open it need not go through the WAL. Where it fails, the WAL still has
  // everything.
  if (db_ != nullptr && !options_.read_only && !failed_) db_->Flush({}).PermitUncheckedError();
  db_.reset();
}

Result<std::shared_ptr<LocalStore>> LocalStore::Open(const std::string& directory,
                                                     const LocalLogOptions& options) {
  std::shared_ptr<LocalStore> store(new LocalStore(directory, options));
  if (Status s = store->OpenDatabase(); !s.ok()) return s;
  if (Status s = store->CheckFormat(); !s.ok()) return s;
  if (Status s = store->LoadTopics(); !s.ok()) return s;
  if (!options.read_only) {
    store->compaction_wanted_ = true;
    store->background_->compactor = std::thread([raw = store.get()] { raw->CompactInBackground(); });
  }
  return store;
}

// Beside the process that writes. A secondary instance takes the latest state whose files are all there: of a
// log that lost one it shows what was before, perhaps nothing, and does not say so. So the log is also opened
// as at a start, which does. That may meet files that the writer removes at this moment, but not again and
// again.
Status LocalStore::OpenBeside() {
  constexpr int kTries = 5;
  rocksdb::Options rocks = OptionsOf(options_);
  rocks.max_open_files = -1;           // a secondary keeps files that its primary deletes
  rocks.max_file_opening_threads = 1;  // else each look for news starts and ends 16 threads
  rocksdb::Status whole;
  for (int i = 0; i < kTries; ++i) {
    db_.reset();
    rocksdb::DB* db = nullptr;
    // A directory of its own is for its log file only, which it has not.
    const rocksdb::Status opened = rocksdb::DB::OpenAsSecondary(rocks, directory_, directory_ + "/none", &db);
    db_.reset(db);
    if (!opened.ok()) return FromRocks(opened, directory_);
    rocksdb::DB* check = nullptr;
    whole = rocksdb::DB::OpenForReadOnly(rocks, directory_, &check);
    delete check;
    if (whole.ok()) return {};
  }
  return FromRocks(whole, directory_);
}

Status LocalStore::OpenDatabase() {
  std::error_code error;
  if (options_.read_only) {
    const bool exists = std::filesystem::exists(directory_ + "/CURRENT", error);
    if (error) {
      return {Code::kExhausted,
              "the log in " + directory_ + " cannot be read: " + error.message() +
                  "; read it as the user whose job writes it, or have that user open it to you"};
    }
    if (!exists) {
      return {Code::kNotFound,
              "there is no log in " + directory_ + "; `freshet produce --local` or `run --local` make one"};
    }
    return OpenBeside();
  }
  const rocksdb::Options rocks = OptionsOf(options_);
  rocksdb::DB* db = nullptr;
  std::filesystem::create_directories(directory_, error);
  if (error) {
    return {Code::kInvalid,
            "cannot open or make the directory " + directory_ + ": " + error.message() +
                "; choose another --local, or give this user the right to read and write there"};
  }
  if (Status s = FromRocks(rocksdb::DB::Open(rocks, directory_, &db), directory_); !s.ok()) return s;
  db_.reset(db);
  return {};
}

Status LocalStore::CheckFormat() {
  std::string format;
  const rocksdb::Status found = db_->Get({}, kFormatKey, &format);
  if (found.IsNotFound() && !options_.read_only) {
    return FromRocks(db_->Put({}, kFormatKey, std::string(kFormat)), directory_);
  }
  if (!found.ok() && !found.IsNotFound()) return FromRocks(found, directory_);
  if (found.ok() && format != kFormat) {
    return {Code::kConflict,
            "the log in " + directory_ + " was written by another version of Freshet (format " + format +
                ", this one knows " + std::string(kFormat) + "); use that version, or another directory"};
  }
  return {};
}

Status LocalStore::LoadTopics() {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
  const std::unique_ptr<rocksdb::Iterator> chunks(db_->NewIterator({}));
  std::string last;
  for (it->Seek(kTopicKey); it->Valid() && it->key().starts_with(kTopicKey); it->Next()) {
    Topic topic;
    if (!DecodeTopic({it->value().data(), it->value().size()}, topic)) {
      return Damaged("the list of topics of the log in " + directory_);
    }
    for (int32_t p = 0; p < topic.info.partitions; ++p) {
      last.clear();
      AppendChunkKey(topic.id, p, INT64_MAX, last);
      chunks->SeekForPrev(last);
      auto& end = topic.ends[static_cast<size_t>(p)];
      end = topic.compacted_to[static_cast<size_t>(p)];
      const bool ours = chunks->Valid() && chunks->key().size() == last.size() &&
                        chunks->key().starts_with(rocksdb::Slice(last.data(), kPartitionPrefix));
      if (ours) end = std::max(end, OffsetOfKey({chunks->key().data(), chunks->key().size()}) + 1);
    }
    if (Status s = FromRocks(chunks->status(), directory_); !s.ok()) return s;
    topics_[it->key().ToString().substr(kTopicKey.size())] = std::move(topic);
  }
  return FromRocks(it->status(), directory_);
}

// --- topics ----

std::vector<std::string> LocalStore::Topics() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_)
    names.push_back(name);
  return names;
}

std::optional<LocalStore::Topic> LocalStore::Find(std::string_view topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  return found == topics_.end() ? std::nullopt : std::optional<Topic>(found->second);
}

Status LocalStore::Create(std::string_view name, const TopicSettings& settings) {
  const std::lock_guard lock(mutex_);
  if (topics_.contains(name)) return {Code::kConflict, "topic `" + std::string(name) + "` exists already"};
  if (name.empty() || settings.partitions < 1) {
    return {Code::kInvalid, "a topic needs a name and at least one partition"};
  }
  Topic topic;
  for (const auto& [other, known] : topics_)
    topic.id = std::max(topic.id, known.id + 1);
  topic.info = {settings.partitions, kMostRecordBytes, settings.compacted};
  topic.ends.assign(static_cast<size_t>(settings.partitions), 0);
  topic.compacted_to = topic.ends;
  topic.live = topic.ends;
  topic.failed_at = topic.ends;
  rocksdb::WriteOptions write;
  write.sync = options_.sync;
  const std::string key = TopicKey(std::string(name));
  if (Status s = FromRocks(db_->Put(write, key, EncodeTopic(topic)), directory_); !s.ok()) return s;
  topics_[std::string(name)] = std::move(topic);
  return {};
}

int64_t LocalStore::End(const PartitionId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(id.topic);
  return found == topics_.end() ? 0 : found->second.ends[static_cast<size_t>(id.partition)];
}

Result<OffsetRange> LocalStore::Range(const PartitionId& id) const {
  const std::optional<Topic> topic = Find(id.topic);
  if (!topic || id.partition < 0 || id.partition >= topic->info.partitions) {
    return Status{Code::kNotFound, "there is no partition " + std::to_string(id.partition) + " of topic `" +
                                       id.topic + "` in " + directory_};
  }
  return OffsetRange{0, topic->ends[static_cast<size_t>(id.partition)]};
}

// --- writing ----

Status LocalStore::Encode(const PendingRecords& records, std::vector<int64_t>& ends,
                          rocksdb::WriteBatch& batch) const {
  std::string key;
  std::string header;
  for (const size_t index : records.touched()) {
    const PendingRecords::Part& part = records.parts()[index];
    int64_t end = End(part.id);
    for (size_t i = 0; i < part.used; ++i) {
      const PendingRecords::Chunk& chunk = part.chunks[i];
      end += chunk.records;
      key.clear();
      AppendChunkKey(part.topic, part.id.partition, end - 1, key);
      header.clear();
      AppendChunkHeader(chunk.records - 1, header);
      const rocksdb::Slice name(key);
      const rocksdb::Slice value[] = {header, chunk.entries};
      const rocksdb::Status put = batch.Put(rocksdb::SliceParts(&name, 1), rocksdb::SliceParts(value, 2));
      if (!put.ok()) return FromRocks(put, directory_);
    }
    ends.push_back(end);
  }
  return {};
}

Status LocalStore::Write(const PendingRecords& records, const std::string& group,
                         std::span<const PartitionOffset> positions,
                         const std::function<Status()>& may_commit) {
  {
    const std::lock_guard commit(commit_mutex_);
    if (Status s = may_commit(); !s.ok()) return s;
    rocksdb::WriteBatch batch(records.bytes() + 256 * (1 + records.touched().size() + positions.size()));
    std::vector<int64_t> ends;
    if (Status s = Encode(records, ends, batch); !s.ok()) return s;
    for (const PartitionOffset& position : positions) {
      std::string offset;
      AppendFixed(position.offset, offset);
      if (Status s = FromRocks(batch.Put(PositionKey(group, position.id), offset), directory_); !s.ok())
        return s;
    }
    rocksdb::WriteOptions write;
    write.sync = options_.sync;
    if (Status s = FromRocks(db_->Write(write, &batch), directory_); !s.ok()) {
      failed_ = true;
      return s;
    }
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < ends.size(); ++i) {
      const PartitionId& id = records.parts()[records.touched()[i]].id;
      Topic& topic = topics_.find(id.topic)->second;
      topic.ends[static_cast<size_t>(id.partition)] = ends[i];
      compaction_wanted_ = compaction_wanted_ || NeedsCompaction(topic, static_cast<size_t>(id.partition));
    }
    ++writes_;
  }
  background_->changed.notify_all();
  return {};
}

Result<std::optional<int64_t>> LocalStore::Committed(const std::string& group, const PartitionId& id) const {
  std::string bytes;
  const rocksdb::Status found = db_->Get({}, PositionKey(group, id), &bytes);
  if (found.IsNotFound()) return std::optional<int64_t>();
  if (!found.ok()) return FromRocks(found, directory_);
  int64_t offset = 0;
  std::string_view in = bytes;
  if (!TakeFixed(in, offset)) return Damaged("a position of group `" + group + "` in " + directory_);
  return std::optional<int64_t>(offset);
}

uint64_t LocalStore::NewEpoch(const std::string& transactional_id) {
  const std::lock_guard commit(commit_mutex_);
  return ++epochs_[transactional_id];
}

uint64_t LocalStore::Epoch(const std::string& transactional_id) const {
  const auto found = epochs_.find(transactional_id);
  return found == epochs_.end() ? 0 : found->second;
}

Group& LocalStore::GroupOf(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return groups_[name];
}

// --- reading ----

std::unique_ptr<rocksdb::Iterator> LocalStore::NewIterator() const {
  rocksdb::ReadOptions read;
  read.readahead_size = 256 << 10;
  read.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(read));
}

Status LocalStore::CatchUp() {
  if (!options_.read_only) return {};
  if (Status s = FromRocks(db_->TryCatchUpWithPrimary(), directory_); !s.ok()) return s;
  const uint64_t reached = db_->GetLatestSequenceNumber();
  const std::lock_guard lock(mutex_);
  if (reached == caught_up_to_) return {};
  if (Status s = LoadTopics(); !s.ok()) return s;
  caught_up_to_ = reached;
  return {};
}

void LocalStore::Wait(Duration timeout, const std::function<bool()>& done) {
  std::unique_lock lock(mutex_);
  const uint64_t seen = writes_;
  background_->changed.wait_for(lock, std::chrono::microseconds(timeout),
                                [&] { return writes_ != seen || closing_ || done(); });
}

void LocalStore::Notify() {
  { const std::lock_guard lock(mutex_); }
  background_->changed.notify_all();
}

void LocalStore::CompactInBackground() {
  std::unique_lock lock(mutex_);
  while (true) {
    background_->changed.wait(lock, [&] { return closing_ || compaction_wanted_; });
    if (closing_) return;
    compaction_wanted_ = false;
    lock.unlock();
    for (const std::string& name : Topics())
      CompactTopic(name);
    lock.lock();
  }
}

}  // namespace freshet
