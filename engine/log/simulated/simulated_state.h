#pragma once
// What a simulated broker holds. Internal to engine/log/simulated. Any thread: one mutex guards everything.
//
// Always: the records of a partition are in offset order and shared, so a reader's view outlives compaction;
// the last stable offset is the first offset of the oldest open transaction, or the end.
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/log/group.h"
#include "engine/log/simulated/simulated_log.h"

namespace freshet {

struct SimulatedRecord {
  explicit SimulatedRecord(const OutgoingRecord& record);
  int64_t offset = 0;
  uint64_t transaction = 0;  // 0: a plain record
  Time timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct SimulatedPartition {
  std::vector<std::shared_ptr<const SimulatedRecord>> records;
  std::map<uint64_t, int64_t> open;  // open transactions: their first offsets here
  std::set<uint64_t> aborted;
  int64_t end = 0;

  int64_t End(Isolation isolation) const;
  // The first record at or after `from` and below `until` that this isolation shows; else null.
  std::shared_ptr<const SimulatedRecord> At(int64_t from, int64_t until, Isolation isolation) const;
};

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Time start) : now_(start) {}
  Time Now() const override { return now_.load(); }
  Duration Steady() const override { return now_.load(); }
  void Advance(Duration by) { now_.fetch_add(by); }

 private:
  std::atomic<Time> now_;
};

class SimulatedState {
 public:
  static constexpr int64_t kMostRecordBytes = 1 << 20;

  SimulatedState(uint64_t seed, Time start);
  SimulatedFaults faults;                                       // under the lock
  std::function<void(bool before)> at_commit;                   // under the lock
  std::function<Status(const OutgoingRecord& record)> at_send;  // under the lock
  mutable std::mutex mutex;
  VirtualClock clock;

  // Everything below: with the lock held.

  // A log, and what was opened on it, live as long as the generation they were opened in.
  uint64_t generation() const { return generation_; }
  void EndGeneration() { ++generation_; }
  Status Alive(uint64_t generation) const;

  Status Create(std::string_view topic, const TopicSettings& settings);
  std::vector<std::string> Topics() const;
  std::optional<TopicInfo> Find(std::string_view topic) const;
  Result<SimulatedPartition*> Partition(std::string_view topic, int32_t partition);
  static void Append(SimulatedPartition& partition, std::shared_ptr<SimulatedRecord> record,
                     uint64_t transaction = 0);
  Status Check(const OutgoingRecord& record) const;
  Status Compact(std::string_view topic);

  // Transactional ids. The last Init wins; fencing aborts what is open.
  struct Identity {
    uint64_t epoch = 0;
    uint64_t transaction = 0;  // open, or 0
    std::set<PartitionId> written;
    std::optional<Time> abandoned_at;  // its producer is gone, and the broker will wait no longer
  };
  uint64_t Take(const std::string& id);
  Result<Identity*> Held(const std::string& id, uint64_t epoch);
  Status Begin(Identity& identity);
  Status Write(Identity& identity, const OutgoingRecord& record);
  void End(Identity& identity, bool commit);
  void Abandon(const std::string& id, uint64_t epoch, Duration transaction_timeout);

  // Groups.
  struct Joined {
    std::string instance;
    Duration session_timeout = 0;
    Time polled = 0;
  };
  Group::MemberId Join(const std::string& group, const std::string& instance, Duration session_timeout,
                       int32_t partitions);
  void Leave(const std::string& group, Group::MemberId member);
  // What changed; kFenced where another holder of its instance took its place.
  Result<GroupChange> TakeChange(const std::string& group, Group::MemberId member);
  bool HasChange(const std::string& group, Group::MemberId member) const;
  bool IsMember(const std::string& group, Group::MemberId member) const;
  void SetPositions(const std::string& group, std::span<const PartitionOffset> positions);
  std::optional<int64_t> Committed(const std::string& group, const PartitionId& id) const;

  // Moves the clock, ends what timed out.
  void Advance(Duration by);
  // Whether a fault of this probability strikes. One sequence for fetches and one for commits, so that how
  // often a job polls does not choose which of its commits fail.
  bool FetchFault(double probability) { return probability > 0 && fetches_.Chance(probability); }
  bool CommitFault(double probability) { return commits_.Chance(probability); }
  uint64_t FetchDraw(uint64_t bound) { return fetches_.Below(bound); }

 private:
  struct Topic {
    TopicInfo info;
    std::vector<SimulatedPartition> partitions;
  };
  struct GroupState {
    Group group;
    std::map<Group::MemberId, Joined> joined;
    std::set<Group::MemberId> replaced;  // by another holder of their instance
    std::map<PartitionId, int64_t> positions;
  };
  void ExpelSilent(GroupState& state);

  uint64_t generation_ = 1;
  uint64_t transactions_ = 0;
  Random fetches_;
  Random commits_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<std::string, Identity> identities_;
  std::map<std::string, GroupState> groups_;
};

}  // namespace freshet
