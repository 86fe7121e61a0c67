// Compaction of the embedded log: of each key the last record stays, offsets stay. In the background, beside
// readers (whose iterators are snapshots) and the writer (who only adds records, which make more of the older
// ones garbage).
#include <algorithm>
#include <unordered_set>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "engine/base/bytes.h"
#include "engine/base/clock.h"
#include "engine/log/local/local_store.h"
#include "engine/log/local/record_format.h"
#include "engine/log/local/rocks_status.h"

namespace freshet {

namespace {
constexpr size_t kDeletesAtOnce = 10'000;
constexpr Duration kTombstonesLast = 24 * kHour;  // a store that lags must still learn of the deletion
}  // namespace

bool LocalStore::NeedsCompaction(const Topic& topic, size_t partition) const {
  const int64_t added = topic.ends[partition] - topic.compacted_to[partition];
  return topic.info.compacted && added > std::max(options_.least_garbage, topic.live[partition]);
}

Status LocalStore::CompactAll() {
  std::map<std::string, Topic, std::less<>> topics;
  {
    const std::lock_guard lock(mutex_);
    topics = topics_;
  }
  for (const auto& [name, topic] : topics) {
    for (size_t p = 0; topic.info.compacted && p < topic.ends.size(); ++p) {
      if (Status s = Compact(topic, static_cast<int32_t>(p), name); !s.ok()) return s;
    }
  }
  return {};
}

// From the end backwards, so that the first record of a key that is met is the one that stays.
Status LocalStore::Compact(const Topic& topic, int32_t partition, const std::string& name) {
  const Time now = SystemClock().Now();
  const std::unique_ptr<rocksdb::Iterator> it = NewIterator();
  std::string bound;
  AppendRecordKey(topic.id, partition, topic.ends[static_cast<size_t>(partition)], bound);
  std::unordered_set<std::string> seen;
  rocksdb::WriteBatch deletes;
  int64_t live = 0;
  std::vector<Header> headers;
  RecordView record;
  for (it->SeekForPrev(bound); it->Valid(); it->Prev()) {
    const rocksdb::Slice key = it->key();
    if (key.size() != bound.size() || !key.starts_with(rocksdb::Slice(bound.data(), kPartitionPrefix))) break;
    if (key == rocksdb::Slice(bound)) continue;
    if (!ParseRecord({it->value().data(), it->value().size()}, headers, record) || !record.key) continue;
    const bool last = seen.insert(std::string(*record.key)).second;
    const bool expired = !record.value && record.timestamp < now - kTombstonesLast;
    if (last && !expired) {
      ++live;
      continue;
    }
    if (Status s = FromRocks(deletes.Delete(key), directory_); !s.ok()) return s;
    if (static_cast<size_t>(deletes.Count()) < kDeletesAtOnce) continue;
    if (Status s = FromRocks(db_->Write({}, &deletes), directory_); !s.ok()) return s;
    deletes.Clear();
  }
  if (Status s = FromRocks(it->status(), directory_); !s.ok()) return s;
  const std::lock_guard lock(mutex_);
  Topic& current = topics_.find(name)->second;
  current.compacted_to[static_cast<size_t>(partition)] = topic.ends[static_cast<size_t>(partition)];
  current.live[static_cast<size_t>(partition)] = live;
  if (Status s = FromRocks(deletes.Put(TopicKey(name), EncodeTopic(current)), directory_); !s.ok()) return s;
  return FromRocks(db_->Write({}, &deletes), directory_);
}

}  // namespace freshet
