#pragma once
// One life of a lane, from the last commit on: its producer, tasks, models, feeds and everything else that
// must not survive an abandoned epoch. After an abort, fencing or doubt the lane destroys it and opens
// another, which finds in the log all there is to know. One thread.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/log/log.h"
#include "engine/plan/plan.h"
#include "engine/runtime/closing.h"
#include "engine/runtime/dead_letters.h"
#include "engine/runtime/due_timers.h"
#include "engine/runtime/event_clock.h"
#include "engine/runtime/feed.h"
#include "engine/runtime/merge.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/replica.h"
#include "engine/runtime/stage_operators.h"
#include "engine/runtime/tally.h"

namespace freshet {

struct LaneOptions {
  uint32_t lane = 0;
  ConsumerOptions membership;  // of the job's group
  std::string transactional_id;
  std::string state_directory;  // of the job; empty: state in memory only
  Duration transaction_timeout = 10 * kSecond;
  size_t most_rows = 4096;  // of a batch
  bool until_end = false;
  Duration flush_interval = 5 * kSecond;   // of the stores
  Duration patience = 60 * kSecond;        // how long a restore may stand still
  std::function<uint64_t()> draw_lineage;  // of changelogs that are begun; nothing else depends on it
};

// What a lane lends its incarnations.
struct LaneServices {
  const JobPlan& plan;
  const Topology& topology;
  Log& log;
  const Clock& clock;
  StoreResources& stores;
  Tally& tally;
  LaneOptions options;
  // Under --until-end: where each source partition ends for this run; filled once, at the first start.
  std::map<PartitionId, int64_t>& ends;
  // Records that kept an epoch from committing: they go to the dead letters unread.
  std::map<PartitionId, std::set<int64_t>>& poison;
  // Takes the group's news; fails where the job was assigned to another process, and with kCancelled where a
  // stop was asked for.
  std::function<Status()> keep_alive;
};

// A timer that fired, for messages.
struct FiredTimer {
  std::string op;
  Time time = 0;
  std::string key;  // its bytes
};
// A record that went to the dead letters before it was a row.
struct RejectedRecord {
  PartitionOffset record;
  std::string reason;
};
// What an epoch began with: the record behind its first row, one that is no row, or a timer.
using Beginning = std::variant<PartitionOffset, FiredTimer, RejectedRecord>;

class Incarnation final : private Merge::Gate, private Outbox {
 public:
  // `consumer`, a member of the job's group, outlives the incarnation.
  static Result<std::unique_ptr<Incarnation>> Open(LaneServices services, Consumer& consumer);
  ~Incarnation();

  // Takes the next batch, or fires due timers, through everything: at most so many rows, rejected records and
  // timers together.
  // False: nothing at hand.
  Result<bool> Step(uint64_t most);
  // Judges idleness by the clock. Not under --until-end, where a partition is idle from its end on.
  void JudgeIdleness();
  // Warns of source topics that have more partitions than this life reads. May wait for the log.
  void LookForNewPartitions();
  // Under --until-end: everything was read and every timer up to the last watermark fired.
  bool finished() const;

  bool has_work() const { return rows_in_epoch_ > 0 || out_->records() > 0; }
  uint64_t rows_in_epoch() const { return rows_in_epoch_; }
  // Time to commit: the epoch has the bytes it may have, or rows that no store holds yet fill most of the
  // cache.
  bool is_full() const { return epoch_bytes() >= s_.plan.job.frame.commit.max_bytes || cache_is_full(); }
  Status Commit();
  Status Summarize(Report& report);

  uint64_t epoch() const { return epoch_; }
  int64_t lag() const;  // records known to be unread
  Time event_time() const;
  const std::vector<PartitionOffset>& starting_positions() const { return started_at_; }
  // Of the open epoch; nothing before its first row, rejected record or timer.
  const std::optional<Beginning>& beginning() const { return beginning_; }

 private:
  struct TaskState {
    Task* task = nullptr;
    RawTable* closing = nullptr;
    int64_t changelog_begin = 0;  // as found at start
    int64_t changelog_next = 0;   // a lower bound of the changelog's next offset
    int64_t sent = 0;             // records of the open epoch
    // The store's position: a lower bound of the offset of the last closing record. So a restore reads that
    // one again, and sees whether the store is of this changelog.
    int64_t closing_at = 0;
    int64_t closing_sent = 0;             // records of the open epoch before its closing record
    std::optional<ClosingRecord> stored;  // what the store said at start
    std::optional<ClosingRecord> read;    // what the changelog said after it
    bool foreign = false;                 // the changelog is not the store's
    uint64_t lineage = 0;                 // of the changelog
    int64_t most_bytes = 0;               // of a record of the changelog; 0: not known
    Counter* changelog_bytes = nullptr;   // of keys and values
    Counter* store_bytes = nullptr;
  };

  Incarnation(LaneServices services, Consumer& consumer);
  // incarnation_open.cc, incarnation_restore.cc
  Status OpenTasks();
  Status OpenTask(uint32_t stage, uint32_t shard);
  std::vector<PartitionId> PartitionsOf(uint32_t source) const;
  Status ReadPositions();
  Status AskForLimits();
  Status Restore();
  Status LookAtStore(TaskState& state);
  Status ReadChangelogs(const std::vector<TaskState*>& states);
  Status ApplyChange(TaskState& state, const RecordView& record);
  Status RebuildForeignStores();
  Result<std::optional<ClosingRecord>> LoadClosing(const TaskState& state) const;
  Status ReadClosing(TaskState& state);
  Status RestoreModels();
  Status OpenSinks();
  Status OpenFeeds();
  size_t BlockBytes() const;
  Status OpenFeed(uint32_t source, const PartitionId& id);
  Status CheckClosing();
  PartitionId ChangelogOf(const Task& task) const;
  // incarnation.cc
  void Push(uint32_t stream, Batch rows) override { pipeline_->Push(stream, std::move(rows)); }
  bool Admit(const Feed& feed, Time time) override;
  // The source record that caused a row of the present batch; rows of timers have none.
  std::optional<PartitionOffset> OriginOf(uint32_t ordinal) const;
  void BeginBatch(const Feed& feed);
  Time AloneUntil(uint32_t source) const;
  void CountBatch();
  Status FireDue(uint64_t most, bool& more);
  Status Fire(Task& task);
  FiredTimer Describe(const DueTimer& timer, uint32_t stage) const;
  bool FindFinished();
  size_t& MarkedFeeds() { return finished_marked_[static_cast<size_t>(merging_ - merges_.data())]; }
  void MarkFinished(bool& marked);
  // incarnation_commit.cc
  Status SendChanges(const std::vector<ClosingRecord::Input>& inputs);
  Status WriteClosing(const TaskState& state, Time now, const std::vector<ClosingRecord::Input>& inputs);
  Status FlushStores();
  int64_t epoch_bytes() const { return static_cast<int64_t>(out_->bytes()) + cache_.dirty; }
  bool cache_is_full() const { return cache_.pinned > cache_.limit / 2; }
  std::vector<ClosingRecord::Input> Inputs() const;

  LaneServices s_;
  Consumer& consumer_;
  Pool pool_;
  CacheBudget cache_;
  EventClock clock_;
  DueTimers timers_;
  std::map<std::string, std::unique_ptr<ModelState>, std::less<>> models_;
  std::map<std::string, uint64_t, std::less<>> published_;  // version of each trained model in its topic
  std::unique_ptr<Outbound> out_;
  std::unique_ptr<DeadLetters> dead_letters_;
  std::vector<std::vector<std::unique_ptr<Task>>> tasks_;   // [stage][shard]
  std::vector<std::unique_ptr<StageOperators>> operators_;  // by stage
  std::vector<SinkWriter> sinks_;
  std::unique_ptr<Pipeline> pipeline_;
  std::map<std::string, RawTable*, std::less<>> private_tables_;  // of the models trained here
  std::map<PartitionId, int64_t> group_positions_;                // committed, at start

  std::vector<TaskState> stateful_;  // tasks with a store, in (stage, shard) order

  std::vector<std::unique_ptr<Feed>> feeds_;
  std::vector<Merge> merges_;            // one a confluence
  std::vector<size_t> finished_marked_;  // of each, how many finished feeds MarkFinished has seen
  size_t next_merge_ = 0;
  std::vector<int32_t> known_partitions_;  // by source, as read or last warned of
  std::vector<PartitionOffset> started_at_;
  Feed::RejectSink rejects_;
  SourceBatch batch_;
  Merge* merging_ = nullptr;
  bool batch_open_ = false;
  bool cut_ = false;
  Time alone_until_ = kMinTime;  // rows at times up to this one go one by one
  Time cut_at_ = kMaxTime;       // a stored exact timer falls due when the clock gets there
  Time timer_floor_ = kMaxTime;  // a timer set in this batch may fall due from there on

  uint64_t epoch_ = 0;  // of the last commit
  uint64_t rows_in_epoch_ = 0;
  std::optional<Beginning> beginning_;
  std::vector<Counter*> rows_in_;         // by source
  std::optional<ClosingRecord> closing_;  // found at start
  Duration last_flush_ = 0;
};

}  // namespace freshet
