#pragma once
// One thread with its own consumer, producer and tasks: a whole engine. Joins the group, reads, processes,
// commits; and after an abort, fencing or doubt begins again from the last commit, all by one way. One
// thread, but for what is said otherwise.
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "engine/metrics/duration_histogram.h"
#include "engine/runtime/incarnation.h"

namespace freshet {

// Asked for by a signal or another thread; a lane then finishes its epoch, commits and returns.
class StopSignal {
 public:
  void Request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

struct LaneProgress {
  uint64_t rows = 0;  // taken so far, committed ones
  uint64_t commits = 0;
  int64_t lag = 0;  // records known to be unread
  Time event_time = kMinTime;
  bool standing_by = false;
  uint64_t dead_letters = 0;  // committed ones
  bool operator==(const LaneProgress&) const = default;
};

struct LaneHooks {
  std::function<void(const LaneProgress&)> progress;       // after each commit and while waiting
  std::function<bool(uint64_t rows_in_epoch)> commit_now;  // tests: cut epochs at will
  std::function<void(Incarnation&)> before_close;          // the last look at what was learnt
};

class Lane {
 public:
  // All outlive the lane.
  Lane(const JobPlan& plan, const Topology& topology, Log& log, const Clock& clock, StoreResources& stores,
       Tally& tally, LaneOptions options, LaneHooks hooks);

  // Joins the job's group and works until the end (--until-end), a stop, or an error that trying again does
  // not mend. After failures in a row it waits before it tries again. A member that the group throws out for
  // good is replaced by another, a few times in a row; kFenced: once too often. What the run
  // knows outlives its members: the ends it reads to, poisoned records, counts.
  Status Run(const StopSignal& stop);
  // Leaves the group, after Run.
  void Leave();
  const DurationHistogram& commits_took() const { return commits_took_; }

 private:
  enum class Outcome : uint8_t { kEnded, kAgain };
  Status Join();
  Status Serve(const StopSignal& stop);
  Status AwaitPlacement(const StopSignal& stop);
  Status Pause(const StopSignal& stop);
  Result<Outcome> Live(const StopSignal& stop);
  Status Work(Incarnation& life, const StopSignal& stop);
  Status Commit(Incarnation& life);
  bool CommitDue(const Incarnation& life, Duration now);
  Status TakeChange(const GroupChange& change);
  Status TakeNews(Duration wait);
  Status KeepAlive();
  Status AfterFailure(const Status& failure, const std::optional<Beginning>& beginning);
  void Bisect(const Beginning& beginning);
  void Poison(const PartitionOffset& record);
  void ShowProgress(const Incarnation& life);
  uint64_t Committed(std::string_view family) const;  // the sum over its labels

  LaneServices services_;
  LaneHooks hooks_;
  const StopSignal* stop_ = nullptr;  // of the run
  std::unique_ptr<Consumer> consumer_;
  std::map<PartitionId, int64_t> ends_;
  std::map<PartitionId, std::set<int64_t>> poison_;
  bool owns_placement_ = false;
  bool expelled_ = false;  // by the group, for good
  uint64_t commits_ = 0;
  DurationHistogram commits_took_;
  Duration epoch_start_ = 0;
  Duration last_commit_ = 0;
  Duration last_poll_ = 0;
  Duration last_look_ = 0;  // for new partitions
  // In a row, without a commit between.
  int failures_ = 0;
  int bisections_ = 0;  // of the failures: no pause would mend these
  int expulsions_ = 0;  // in a row, none a good while after joining
  Duration joined_at_ = 0;
  uint64_t commits_at_limit_ = 0;
  uint64_t rows_limit_ = UINT64_MAX;  // and timers, of an epoch, while one that cannot be written is bisected
};

}  // namespace freshet
