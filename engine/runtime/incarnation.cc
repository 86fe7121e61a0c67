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
    : s_(std::move(services)), consumer_(consumer), clock_(s_.topology), timers_(s_.topology, clock_) {}

// Readers die with their release, and the consumer outlives the incarnation.
Incarnation::~Incarnation() {
  merges_.clear();
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    [[maybe_unused]] const Status released = consumer_.Release(feed->id());  // nothing to do where it fails
  }
}

// --- taking rows ---

void Incarnation::BeginBatch(const Feed& feed) {
  batch_open_ = true;
  cut_at_ = kMaxTime;
  timer_floor_ = kMaxTime;
  const uint32_t source = feed.source_index();
  alone_until_ = AloneUntil(source);
  clock_.BeginBatch(source, feed.partition());
  // Where the other sources keep a task's watermark below its first timer, no row of this one makes it due.
  for (const uint32_t clock : clock_.batch_clocks()) {
    const Time first = timers_.first_exact(clock);
    if (clock_.rows().views[clock].others >= first) cut_at_ = std::min(cut_at_, first);
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
  if (!batch_open_) BeginBatch(feed);
  const bool alone = time <= alone_until_;
  const std::vector<Time>& rows = clock_.rows().before;
  if (alone && !rows.empty()) return false;
  clock_.Take(feed.partition(), time);
  for (const Topology::SourceTimer& timer : s_.topology.source_timers[feed.source_index()])
    timer_floor_ = std::min(timer_floor_, timer.Earliest(time, rows.back()));
  cut_ = alone || clock_.highest() >= std::min(cut_at_, timer_floor_);
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
      clock_.EndBatch();
      if (Status s = timers_.Refresh(); !s.ok()) return s;
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
  if (clock_.rows().in_timer || ordinal >= batch_.from.size()) return std::nullopt;
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

bool Incarnation::FindFinished() {
  if (!s_.options.until_end || merging_->finished_feeds() == MarkedFeeds()) return false;
  return std::any_of(merging_->feeds().begin(), merging_->feeds().end(), [&](const Feed* feed) {
    return feed->finished() &&
           !clock_.source(feed->source_index()).idle(static_cast<size_t>(feed->partition()));
  });
}

// A partition is idle from its end offset on: exactly there in the sequence of rows, so that cuts do not
// matter.
void Incarnation::MarkFinished(bool& marked) {
  if (!s_.options.until_end) return;
  for (const Feed* feed : merging_->feeds()) {
    const SourceWatermark& source = clock_.source(feed->source_index());
    if (!feed->finished() || source.idle(static_cast<size_t>(feed->partition()))) continue;
    clock_.SetIdle(feed->source_index(), feed->partition());
    marked = true;
  }
  MarkedFeeds() = merging_->finished_feeds();
}

void Incarnation::JudgeIdleness() {
  if (s_.options.until_end) return;
  const Duration now = s_.clock.Steady();
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    const SourceWatermark& source = clock_.source(feed->source_index());
    if (source.idle(static_cast<size_t>(feed->partition())) || !feed->at_end()) continue;
    if (now - feed->last_arrival() < feed->source().idle_after) continue;
    clock_.SetIdle(feed->source_index(), feed->partition());
  }
}

bool Incarnation::finished() const {
  return s_.options.until_end &&
         std::all_of(merges_.begin(), merges_.end(), [](const Merge& merge) { return merge.finished(); });
}

// --- timers ---

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
  clock_.rows().in_timer = true;
  clock_.rows().timer_time = (*timer)->time;
  const Status status = pipeline_->RunTimer(task);
  clock_.rows().in_timer = false;
  ++rows_in_epoch_;
  return status;
}

// `more`: others may be due, as only so many were allowed or the epoch is full.
Status Incarnation::FireDue(uint64_t most, bool& more) {
  more = false;
  for (uint64_t left = std::min(most, kTimersAtOnce); left > 0; --left) {
    const Result<Task*> next = timers_.Next();
    if (!next.ok()) return next.status();
    if (*next == nullptr) return {};
    if (Status s = Fire(**next); !s.ok()) return s;
    if (Status s = dead_letters_->Flush(*out_); !s.ok()) return s;
    if (Status s = timers_.Refresh(); !s.ok()) return s;
    if (is_full()) break;
  }
  more = true;
  return {};
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
               " before: start the job again so that the new ones are read" +
               (planned.needed_partitions() != 0
                    ? ", under another `prefix`, as its `partitioned_by` needs one partition a shard"
                    : ""));
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
        std::max(latest, clock_.source(feed->source_index()).highest(static_cast<size_t>(feed->partition())));
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
