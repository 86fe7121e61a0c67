#pragma once
// The RocksDB directory behind the embedded log: topics, records, positions of groups, compaction. Internal
// to engine/log/local. Any thread: one mutex guards what is in memory, another lets one transaction commit at
// a time, so that who only looks waits for no commit's disk; reads of records go past both. What is rare
// writes or reads under the first: a topic being made, the end of a pass of compaction, and, beside another
// process that writes, the list of topics where there is news.
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/log/group.h"
#include "engine/log/local/local_log.h"
#include "engine/log/local/pending_records.h"
#include "engine/log/log.h"

namespace rocksdb {
class DB;
class Iterator;
class WriteBatch;
}  // namespace rocksdb

namespace freshet {

class LocalStore {
 public:
  static Result<std::shared_ptr<LocalStore>> Open(const std::string& directory,
                                                  const LocalLogOptions& options);
  ~LocalStore();

  struct Topic {
    uint32_t id = 0;
    TopicInfo info;
    std::vector<int64_t> ends;          // next offset of each partition
    std::vector<int64_t> compacted_to;  // of each partition, where the last pass ended
    std::vector<int64_t> live;          // records it left
    std::vector<int64_t> failed_at;     // the end when a pass last failed, in this process
  };
  std::vector<std::string> Topics() const;
  std::optional<Topic> Find(std::string_view topic) const;
  Status Create(std::string_view topic, const TopicSettings& settings);
  Result<OffsetRange> Range(const PartitionId& id) const;
  int64_t End(const PartitionId& id) const;

  // Writes all and the positions at once; `may_commit` is asked under the lock of NewEpoch.
  Status Write(const PendingRecords& records, const std::string& group,
               std::span<const PartitionOffset> positions, const std::function<Status()>& may_commit);
  Result<std::optional<int64_t>> Committed(const std::string& group, const PartitionId& id) const;

  // The producer epoch of a transactional id: the last Init wins.
  uint64_t NewEpoch(const std::string& transactional_id);
  uint64_t Epoch(const std::string& transactional_id) const;  // for `may_commit`
  Group& GroupOf(const std::string& name);

  std::unique_ptr<rocksdb::Iterator> NewIterator() const;
  // Read-only: takes in what the writer has written since.
  Status CatchUp();
  bool read_only() const { return options_.read_only; }
  const std::string& directory() const { return directory_; }

  // Waits until something is written, a group may have changed, or `woken` says so; at most `timeout`.
  void Wait(Duration timeout, const std::function<bool()>& done);
  void Notify();

 private:
  static std::string TopicKey(const std::string& name);
  static std::string EncodeTopic(const Topic& topic);
  LocalStore(std::string directory, LocalLogOptions options);
  Status OpenDatabase();
  Status OpenBeside();
  Status LoadTopics();
  Status CheckFormat();
  // One pass over one partition; whether it needs another at once.
  Result<bool> Compact(const std::string& name, int32_t partition);
  bool NeedsCompaction(const Topic& topic, size_t partition) const;
  void CompactInBackground();
  void CompactTopic(const std::string& name);
  // The transaction as RocksDB takes it, and where each touched partition then ends, in the order of
  // touched().
  Status Encode(const PendingRecords& records, std::vector<int64_t>& ends, rocksdb::WriteBatch& batch) const;

  std::string directory_;
  LocalLogOptions options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::mutex commit_mutex_;   // taken before mutex_; who writes records or epochs_
  mutable std::mutex mutex_;  // the rest
  struct Background;          // who waits, and the thread that compacts
  std::unique_ptr<Background> background_;
  uint64_t writes_ = 0;
  uint64_t caught_up_to_ = 0;  // read-only: RocksDB's sequence number of what topics_ tell
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<std::string, uint64_t> epochs_;
  std::map<std::string, Group> groups_;
  std::atomic<bool> closing_ = false;
  std::atomic<bool> failed_ = false;  // a write did: RocksDB asserts where its files are written to again
  bool compaction_wanted_ = false;
};

}  // namespace freshet
