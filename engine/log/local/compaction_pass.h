#pragma once
// One compaction of one partition of the embedded log: of each key the last record stays, offsets stay.
// Internal to engine/log/local. In a thread of its own, beside readers (whose iterators are snapshots) and
// the writer (who only adds records behind `to`, which make more of the older ones garbage).
//
// As Kafka's log cleaner does it: what was added since the last pass is read once to learn the last offset of
// each key in it; then the partition is gone through from the beginning, and chunks that hold superseded
// records are rewritten, small neighbours together. What stays as it is is not written.
// Always: each step is one WriteBatch, older records go before younger ones, and so a tombstone outlives all
// that it deletes: however a pass ends, what is left means the same as before, and another pass may follow.
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/log/local/key_offsets.h"
#include "engine/log/local/record_format.h"

namespace rocksdb {
class DB;
class Iterator;
}  // namespace rocksdb

namespace freshet {

class CompactionPass {
 public:
  struct Range {
    uint32_t topic = 0;
    int32_t partition = 0;
    int64_t from = 0;  // where the last pass ended
    int64_t to = 0;    // the end now
  };
  // Tombstones before `tombstones_since` go. At most about `most_key_bytes` are kept of keys at a time.
  CompactionPass(rocksdb::DB& db, const std::string& directory, const Range& range, Time tombstones_since,
                 size_t most_key_bytes = 64 << 20);

  // Stops early, as if it had not come so far, once `stop` holds.
  Status Run(const std::atomic<bool>& stop);
  // After Run, unless it was stopped: everything below was compacted (less than Range::to where the keys
  // would not have fitted into memory), and how many records it left.
  int64_t compacted_to() const { return range_.to; }
  int64_t live() const { return live_; }

 private:
  struct Entry {
    int64_t offset = 0;
    std::string_view record;
  };
  Status Learn(const std::atomic<bool>& stop);
  Status Rewrite(const std::atomic<bool>& stop);
  // The records of the chunk at which `it` stands; false in `more` where it stands on none below range_.to.
  Status ReadChunk(rocksdb::Iterator& it, bool& more);
  // Leaves in entries_ what stays; whether that is all.
  Result<bool> DropSuperseded();
  Result<bool> Stays(const Entry& entry);
  void Append(const Entry& entry);
  Status WriteMerged();
  Status Damaged() const;

  rocksdb::DB& db_;
  const std::string& directory_;
  Range range_;
  Time tombstones_since_;
  size_t most_key_bytes_;
  KeyOffsets last_;
  int64_t live_ = 0;
  std::vector<Entry> entries_;  // of the chunk that is read, into the iterator
  // What is to be written: survivors of the chunks `merged_`, which go.
  std::string out_;
  int64_t first_ = 0;
  int64_t next_ = 0;
  std::vector<std::string> merged_;
  bool changed_ = false;
  std::vector<Header> headers_;
  RecordView record_;
};

}  // namespace freshet
