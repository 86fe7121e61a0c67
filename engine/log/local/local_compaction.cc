// When the embedded log compacts what. In the background, see compaction_pass.h.
#include <algorithm>

#include <rocksdb/db.h>

#include "engine/base/clock.h"
#include "engine/base/logging.h"
#include "engine/log/local/compaction_pass.h"
#include "engine/log/local/local_store.h"
#include "engine/log/local/rocks_status.h"

namespace freshet {

namespace {
constexpr Duration kTombstonesLast = 24 * kHour;  // a store that lags must still learn of the deletion
// A pass reads what lives as well as what was added, so it waits until as many times more were added. Disk
// and the time to restore from such a topic grow with it.
constexpr int64_t kAddedToLive = 2;
}  // namespace

bool LocalStore::NeedsCompaction(const Topic& topic, size_t partition) const {
  const int64_t added =
      topic.ends[partition] - std::max(topic.compacted_to[partition], topic.failed_at[partition]);
  return topic.info.compacted &&
         added > std::max(options_.least_garbage, kAddedToLive * topic.live[partition]);
}

void LocalStore::CompactTopic(const std::string& name) {
  const std::optional<Topic> topic = Find(name);
  for (int32_t p = 0; topic && p < topic->info.partitions; ++p) {
    bool again = NeedsCompaction(*topic, static_cast<size_t>(p));
    while (again && !closing_.load()) {
      Result<bool> more = Compact(name, p);
      again = more.ok() && *more;
      if (more.ok()) continue;
      LogWarning(more.status().message());
      const std::lock_guard lock(mutex_);
      Topic& current = topics_.find(name)->second;
      current.failed_at[static_cast<size_t>(p)] = current.ends[static_cast<size_t>(p)];
    }
  }
}

Result<bool> LocalStore::Compact(const std::string& name, int32_t partition) {
  const Topic topic = Find(name).value_or(Topic());
  const auto at = static_cast<size_t>(partition);
  const CompactionPass::Range range{topic.id, partition, topic.compacted_to[at], topic.ends[at]};
  CompactionPass pass(*db_, directory_, range, SystemClock().Now() - kTombstonesLast);
  if (Status s = pass.Run(closing_); !s.ok()) return s;
  if (closing_.load()) return false;
  const std::lock_guard lock(mutex_);
  Topic& current = topics_.find(name)->second;
  current.compacted_to[at] = pass.compacted_to();
  current.live[at] = pass.live();
  const rocksdb::Status put = db_->Put({}, TopicKey(name), EncodeTopic(current));
  if (!put.ok()) return FromRocks(put, directory_);
  return pass.compacted_to() < range.to && NeedsCompaction(current, at);
}

}  // namespace freshet
