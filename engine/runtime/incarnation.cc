#include "engine/runtime/incarnation.h"

#include <algorithm>

#include "engine/base/logging.h"

namespace freshet {

namespace {
// A storm of timers is worked off in pieces, smaller ones where an epoch is full by then, so that epochs can
// end in between.
constexpr uint64_t kTimersAtOnce = 4096;
}  // namespace

Incarnation::Incarnation(LaneServices services, Consumer& consumer)
    : s_(std::move(services)), consumer_(consumer) {}

// Readers die with their release, and the consumer outlives the incarnation.
Incarnation::~Incarnation() {
  merges_.clear();
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    [[maybe_unused]] const Status released = consumer_.Release(feed->id());  // nothing to do where it fails
  }
}

// --- taking rows ---

void Incarnation::BeginBatch(uint32_t source) {
  batch_open_ = true;
  cut_at_ = kMaxTime;
  timer_floor_ = kMaxTime;
  row_clock_.before.clear();
  alone_until_ = AloneUntil(source);
  for (const uint32_t stage : s_.topology.source_stages[source]) {
    RowClock::StageView& view = row_clock_.stages[stage];
    view.reached = stage_reached_[stage];
    view.others = kMaxTime;
    for (const uint32_t other : s_.plan.stages[stage].sources) {
      if (other != source && !watermarks_[other].all_idle()) {
        view.others = std::min(view.others, watermarks_[other].watermark());
      }
    }
    // Where the other sources keep the stage's watermark below its first timer, no row of this one makes it
    // due.
    const bool exact = s_.topology.stages[stage].exact_timers;
    if (exact && view.others >= stage_first_timer_[stage])
      cut_at_ = std::min(cut_at_, stage_first_timer_[stage]);
  }
}

// Rows of the source up to this time may meet others of it on their way, so that none may come before its
// predecessor has done all it does.
Time Incarnation::AloneUntil(uint32_t source) const {
  if (s_.topology.row_by_row[source]) return kMaxTime;
  Time until = kMinTime;
  for (const Topology::Gate& gate : s_.topology.source_gates[source]) {
    const Time one = operators_[gate.stage]->EmitsAtOnceUntil(gate.member, gate.port);
    if (one == kMinTime) continue;
    until = std::max(until, one > kMaxTime - gate.before ? kMaxTime : one + gate.before);
  }
  return until;
}

bool Incarnation::Admit(const Feed& feed, Time time) {
  if (cut_ || FindFinished()) return false;
  if (!batch_open_) BeginBatch(feed.source_index());
  const bool alone = time <= alone_until_;
  if (alone && !row_clock_.before.empty()) return false;
  SourceWatermark& source = watermarks_[feed.source_index()];
  row_clock_.before.push_back(source.watermark());
  source.Observe(static_cast<size_t>(feed.partition()), time);
  for (const Topology::SourceTimer& timer : s_.topology.source_timers[feed.source_index()]) {
    timer_floor_ = std::min(timer_floor_, timer.Earliest(time, row_clock_.before.back()));
  }
  if (source.watermark() >= std::min(cut_at_, timer_floor_)) cut_ = true;
  if (alone) cut_ = true;
  return true;
}

Result<bool> Incarnation::Step(uint64_t most) {
  bool more = false;
  cache_.Trim();
  const uint64_t rows_at_first = rows_in_epoch_;
  const auto left = [&] { return most - std::min(most, rows_in_epoch_ - rows_at_first); };
  if (Status s = FireDue(most, more); !s.ok()) return s;
  if (more || left() == 0) return true;
  for (size_t tried = 0; tried < merges_.size(); ++tried) {
    merging_ = &merges_[next_merge_];
    next_merge_ = (next_merge_ + 1) % merges_.size();
    batch_open_ = false;
    cut_ = false;
    const uint64_t rows_before = rows_in_epoch_;
    const auto most_rows = static_cast<size_t>(std::min<uint64_t>(left(), s_.options.most_rows));
    if (Status s = merging_->Next(most_rows, *this, rejects_, batch_); !s.ok()) return s;
    bool marked = false;
    if (!batch_.rows.empty()) {
      CountBatch();
      if (Status s = pipeline_->RunBatch(batch_.source, batch_.rows); !s.ok()) return s;
      RaiseWatermarks(batch_.source);
      if (Status s = RefreshTimers(); !s.ok()) return s;
    }
    if (Status s = dead_letters_->Flush(*out_); !s.ok()) return s;
    MarkFinished(marked);
    if (rows_in_epoch_ > rows_before || marked) {
      if (Status s = FireDue(left(), more); !s.ok()) return s;
      return true;
    }
  }
  return false;
}

std::optional<PartitionOffset> Incarnation::OriginOf(uint32_t ordinal) const {
  if (row_clock_.in_timer || ordinal >= batch_.from.size()) return std::nullopt;
  const SourceBatch::From& from = batch_.from[ordinal];
  return PartitionOffset{merging_->feeds()[from.feed]->id(), from.offset};
}

void Incarnation::CountBatch() {
  if (!beginning_) {
    beginning_ = PartitionOffset{merging_->feeds()[batch_.from[0].feed]->id(), batch_.from[0].offset};
  }
  rows_in_epoch_ += batch_.rows.rows();
  rows_in_[batch_.source]->Add(batch_.rows.rows());
}

// --- event time ---

void Incarnation::RaiseWatermarks(uint32_t source) {
  for (const uint32_t stage : s_.topology.source_stages[source]) {
    stage_reached_[stage] =
        std::max(stage_reached_[stage], LeastWatermark(watermarks_, s_.plan.stages[stage].sources));
  }
}

bool Incarnation::FindFinished() {
  if (!s_.options.until_end || merging_->finished_feeds() == MarkedFeeds()) return false;
  return std::any_of(merging_->feeds().begin(), merging_->feeds().end(), [&](const Feed* feed) {
    return feed->finished() &&
           !watermarks_[feed->source_index()].idle(static_cast<size_t>(feed->partition()));
  });
}

// A partition is idle from its end offset on: exactly there in the sequence of rows, so that cuts do not
// matter.
void Incarnation::MarkFinished(bool& marked) {
  if (!s_.options.until_end) return;
  for (const Feed* feed : merging_->feeds()) {
    SourceWatermark& source = watermarks_[feed->source_index()];
    if (!feed->finished() || source.idle(static_cast<size_t>(feed->partition()))) continue;
    source.SetIdle(static_cast<size_t>(feed->partition()), true);
    RaiseWatermarks(feed->source_index());
    marked = true;
  }
  MarkedFeeds() = merging_->finished_feeds();
}

void Incarnation::JudgeIdleness() {
  if (s_.options.until_end) return;
  const Duration now = s_.clock.Steady();
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    SourceWatermark& source = watermarks_[feed->source_index()];
    const auto partition = static_cast<size_t>(feed->partition());
    if (source.idle(partition) || !feed->at_end()) continue;
    if (now - feed->last_arrival() < feed->source().idle_after) continue;
    source.SetIdle(partition, true);
    RaiseWatermarks(feed->source_index());
  }
}

bool Incarnation::finished() const {
  return s_.options.until_end &&
         std::all_of(merges_.begin(), merges_.end(), [](const Merge& merge) { return merge.finished(); });
}

// --- timers ---

Status Incarnation::RefreshTimer(TaskState& state) {
  const Result<const DueTimer*> first = state.task->FirstTimer();
  if (!first.ok()) return first.status();
  state.first_timer = *first == nullptr ? kMaxTime : (*first)->time;
  return {};
}

Status Incarnation::RefreshTimers() {
  for (const uint32_t index : changed_timers_) {
    TaskState& state = stateful_[index];
    state.task->timers()->Heard();
    const Time before = state.first_timer;
    if (Status s = RefreshTimer(state); !s.ok()) return s;
    if (state.first_timer != before) RefreshStage(state.task->stage());
  }
  changed_timers_.clear();
  return {};
}

void Incarnation::RefreshStage(uint32_t stage) {
  Time first = kMaxTime;
  for (const uint32_t index : state_of_[stage]) {
    if (index != UINT32_MAX) first = std::min(first, stateful_[index].first_timer);
  }
  stage_first_timer_[stage] = first;
}

bool Incarnation::IsDue(uint32_t stage, Time timer) const {
  return timer != kMaxTime && timer <= stage_reached_[stage];
}

bool Incarnation::ExactIsDue(uint32_t stage) const {
  return s_.topology.stages[stage].exact_timers && IsDue(stage, stage_first_timer_[stage]);
}

// Of all tasks with exact timers, the one whose first timer is first in (time, place, key) order among those
// due.
Result<Task*> Incarnation::FirstDue() {
  Task* best = nullptr;
  const DueTimer* best_timer = nullptr;
  Time best_time = kMaxTime;
  for (uint32_t stage = 0; stage < stage_reached_.size(); ++stage) {
    if (!ExactIsDue(stage)) continue;
    for (const uint32_t index : state_of_[stage]) {
      if (index == UINT32_MAX || !IsDue(stage, stateful_[index].first_timer)) continue;
      if (stateful_[index].first_timer > best_time) continue;
      Task* task = stateful_[index].task;
      Result<const DueTimer*> timer = task->FirstTimer();
      if (!timer.ok()) return timer.status();
      if (*timer == nullptr) continue;
      if (best == nullptr || **timer < *best_timer) {
        best = task;
        best_timer = *timer;
        best_time = best_timer->time;
      }
    }
  }
  return best;
}

// Empty where no operator of the stage has the timer's place: to run it is refused.
FiredTimer Incarnation::Describe(const DueTimer& timer, uint32_t stage) const {
  for (const Member& member : s_.plan.stages[stage].members) {
    const PlannedOperator& op = s_.plan.operators[member.op];
    if (op.place == timer.place) return {op.name, timer.time, timer.key};
  }
  return {};
}

Status Incarnation::Fire(Task& task) {
  const Result<const DueTimer*> timer = task.FirstTimer();
  if (!timer.ok()) return timer.status();
  if (!beginning_) beginning_ = Describe(**timer, task.stage());
  row_clock_.in_timer = true;
  row_clock_.timer_time = (*timer)->time;
  const Status status = pipeline_->RunTimer(task);
  row_clock_.in_timer = false;
  ++rows_in_epoch_;
  return status;
}

// `more`: others may be due, as only so many were allowed or the epoch is full.
Status Incarnation::FireDue(uint64_t most, bool& more) {
  more = false;
  for (uint64_t left = std::min(most, kTimersAtOnce); left > 0; --left) {
    bool due = false;
    for (uint32_t stage = 0; stage < stage_reached_.size(); ++stage)
      due = due || ExactIsDue(stage);
    if (!due) return CleanUp(left, more);
    const Result<Task*> found = FirstDue();
    if (!found.ok()) return found.status();
    Task* task = *found;
    if (task == nullptr) return Internal("a timer is due that no task has");
    if (Status s = Fire(*task); !s.ok()) return s;
    if (Status s = dead_letters_->Flush(*out_); !s.ok()) return s;
    if (Status s = RefreshTimers(); !s.ok()) return s;
    if (is_full()) break;
  }
  more = true;
  return {};
}

// The timers that need not be exact: nobody sees when they fire, nor in which order, so they cut no batch and
// go task by task.
Status Incarnation::CleanUp(uint64_t most, bool& more) {
  bool full = false;
  for (uint32_t stage = 0; stage < stage_reached_.size() && !more; ++stage) {
    if (!IsDue(stage, stage_first_timer_[stage])) continue;
    for (const uint32_t index : state_of_[stage]) {
      if (index == UINT32_MAX) continue;
      TaskState& state = stateful_[index];
      for (; most > 0 && !full && IsDue(stage, state.first_timer); --most) {
        if (Status s = Fire(*state.task); !s.ok()) return s;
        if (Status s = RefreshTimer(state); !s.ok()) return s;
        full = is_full();
      }
    }
    RefreshStage(stage);
    more = IsDue(stage, stage_first_timer_[stage]);
  }
  return dead_letters_->Flush(*out_);
}

// --- figures ---

// A log that does not answer now is asked again with the next look.
void Incarnation::LookForNewPartitions() {
  for (uint32_t source = 0; source < s_.plan.sources.size(); ++source) {
    const PlannedSource& planned = s_.plan.sources[source];
    const Result<std::optional<TopicInfo>> topic = s_.log.Find(planned.topic);
    if (!topic.ok()) continue;
    int32_t& known = known_partitions_[source];
    if (!*topic || (*topic)->partitions <= known) continue;
    LogWarning("topic `" + planned.topic + "` of source `" + planned.name + "` has " +
               std::to_string((*topic)->partitions) + " partitions by now, " + std::to_string(known) +
               " before: start the job again so that the new ones are read");
    known = (*topic)->partitions;
  }
}

int64_t Incarnation::lag() const {
  int64_t lag = 0;
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    const auto end = s_.ends.find(feed->id());
    const int64_t to = end != s_.ends.end() ? end->second : feed->end_seen();
    lag += std::max<int64_t>(0, to - feed->position());
  }
  return lag;
}

Time Incarnation::event_time() const {
  Time latest = kMinTime;
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    latest =
        std::max(latest, watermarks_[feed->source_index()].highest(static_cast<size_t>(feed->partition())));
  }
  return latest;
}

Status Incarnation::Summarize(Report& report) {
  for (const std::unique_ptr<StageOperators>& stage : operators_) {
    if (Status s = stage->Summarize(report); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet
