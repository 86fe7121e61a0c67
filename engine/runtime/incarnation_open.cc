// How an incarnation comes to life: take the transactional id, restore tasks and models from the log
// (incarnation_restore.cc), check that what they say of their inputs is what the group says, and start
// reading there.
#include <algorithm>

#include "engine/runtime/incarnation.h"

namespace freshet {

namespace {

constexpr int64_t kLeastBlockBytes = 4 << 10;
constexpr int64_t kMostBlockBytes = 1 << 20;

bool Trained(const JobPlan& plan, const Task& task, const PlannedModel& model) {
  const PlannedStage& stage = plan.stages[task.stage()];
  return std::any_of(stage.members.begin(), stage.members.end(),
                     [&](const Member& m) { return m.op == model.trainer && m.part == model.part; });
}

}  // namespace

Result<std::unique_ptr<Incarnation>> Incarnation::Open(LaneServices services, Consumer& consumer) {
  std::unique_ptr<Incarnation> life(new Incarnation(std::move(services), consumer));
  LaneServices& s = life->s_;
  ProducerOptions producing;
  producing.transactional_id = s.options.transactional_id;
  producing.transaction_timeout = s.options.transaction_timeout;
  producing.queue_bytes = s.plan.memory.producer;
  Result<std::unique_ptr<Producer>> producer = s.log.OpenProducer(producing);
  if (!producer.ok()) return producer.status();
  // Before anything is read: it aborts what a predecessor left open, and fences it.
  if (Status status = (*producer)->Init(); !status.ok()) return status;
  life->out_ = std::make_unique<Outbound>(std::move(*producer));
  for (const auto step : {&Incarnation::OpenTasks, &Incarnation::ReadPositions, &Incarnation::Restore,
                          &Incarnation::OpenSinks, &Incarnation::RestoreModels, &Incarnation::OpenFeeds}) {
    if (Status status = ((*life).*step)(); !status.ok()) return status;
  }
  life->last_flush_ = s.clock.Steady();
  return life;
}

Status Incarnation::OpenTasks() {
  cache_.limit = s_.plan.memory.cache;
  for (const PlannedModel& model : s_.plan.models)
    models_[model.name] = std::make_unique<ModelState>();
  for (const PlannedSource& source : s_.plan.sources) {
    Result<std::optional<TopicInfo>> topic = s_.log.Find(source.topic);
    if (!topic.ok()) return topic.status();
    if (!*topic)
      return {Code::kNotFound, "the topic `" + source.topic + "` of source `" + source.name + "` is gone"};
    const int32_t needed = source.needed_partitions();
    if (needed != 0 && needed != (*topic)->partitions) {
      return Invalid("the topic `" + source.topic + "` of source `" + source.name + "` has " +
                     std::to_string((*topic)->partitions) + " partitions by now, and the job " +
                     std::to_string(needed) +
                     " shards for them: leave `partitioned_by` out, and start afresh under another `prefix`");
    }
    clock_.AddSource(static_cast<size_t>((*topic)->partitions));
    known_partitions_.push_back((*topic)->partitions);
  }
  const OperatorServices services{
      pool_,   clock_.rows(),   *this,
      models_, s_.tally.live(), [this](const RefusedRow& row) { dead_letters_->Add(row); }};
  for (const PlannedSource& source : s_.plan.sources) {
    rows_in_.push_back(&s_.tally.live()["rows_in{source=\"" + source.name + "\"}"]);
  }
  for (uint32_t stage = 0; stage < s_.plan.stages.size(); ++stage) {
    tasks_.emplace_back();
    for (uint32_t shard = 0; shard < s_.plan.stages[stage].shards; ++shard) {
      if (Status status = OpenTask(stage, shard); !status.ok()) return status;
    }
    operators_.push_back(std::make_unique<StageOperators>(s_.topology, stage, tasks_.back(), services));
  }
  return {};
}

Status Incarnation::OpenTask(uint32_t stage, uint32_t shard) {
  const PlannedStage& plan = s_.plan.stages[stage];
  std::unique_ptr<TaskStore> store;
  if (plan.keeps_state) {
    const std::string& root = s_.options.state_directory;
    const std::string directory = root.empty() ? "" : root + "/" + plan.name + "-" + std::to_string(shard);
    Result<std::unique_ptr<TaskStore>> opened = TaskStore::Open(directory, s_.stores, cache_);
    if (!opened.ok()) return opened.status().Within("stage `" + plan.name + "`");
    store = std::move(*opened);
  }
  TaskStore* raw = store.get();
  Result<std::unique_ptr<Task>> task = Task::Open(s_.plan, stage, shard, std::move(store));
  if (!task.ok()) return task.status().Within("stage `" + plan.name + "`");
  tasks_.back().push_back(std::move(*task));
  if (raw == nullptr) return {};
  TaskState state;
  state.task = tasks_.back().back().get();
  TableSpec closing;
  closing.name = kClosingTable;
  Result<RawTable*> table = raw->Declare(closing);
  if (!table.ok()) return table.status();
  state.closing = *table;
  for (const PlannedModel& model : s_.plan.models) {
    if (!Trained(s_.plan, *state.task, model)) continue;
    Result<RawTable*> weights = raw->Declare(PrivateTable(model.name));
    if (!weights.ok()) return weights.status();
    private_tables_[model.name] = *weights;
  }
  const std::string label = "{stage=\"" + plan.name + "\"}";
  state.changelog_bytes = &s_.tally.live()["changelog_bytes" + label];
  state.store_bytes = &s_.tally.live()["store_bytes" + label];
  timers_.Add(*state.task);
  stateful_.push_back(state);
  return {};
}

// Those there were when the tasks were opened: a topic that grows meanwhile is read whole by the next life.
std::vector<PartitionId> Incarnation::PartitionsOf(uint32_t source) const {
  std::vector<PartitionId> ids;
  for (size_t p = 0; p < clock_.source(source).partitions(); ++p)
    ids.push_back({s_.plan.sources[source].topic, static_cast<int32_t>(p)});
  return ids;
}

// Before the changelogs' ends are asked for: positions are stable, so a commit that a predecessor under
// another transactional id had still under way is over by then, and the changelogs have it or never will.
Status Incarnation::ReadPositions() {
  std::vector<PartitionId> ids;
  for (uint32_t source = 0; source < s_.plan.sources.size(); ++source) {
    for (PartitionId& id : PartitionsOf(source))
      ids.push_back(std::move(id));
  }
  Result<std::vector<std::optional<int64_t>>> committed = consumer_.Committed(ids);
  if (!committed.ok()) return committed.status();
  for (size_t i = 0; i < ids.size(); ++i) {
    if ((*committed)[i]) group_positions_[ids[i]] = *(*committed)[i];
  }
  return {};
}

Status Incarnation::OpenSinks() {
  for (const PlannedSink& sink : s_.plan.sinks) {
    Result<std::optional<TopicInfo>> topic = s_.log.Find(sink.topic);
    if (!topic.ok()) return topic.status();
    if (!*topic)
      return {Code::kNotFound, "the topic `" + sink.topic + "` of sink `" + sink.name + "` is gone"};
    sinks_.emplace_back(s_.plan, sink, **topic, s_.clock.Now(),
                        s_.tally.live()["rows_out{sink=\"" + sink.name + "\"}"]);
  }
  Result<std::optional<TopicInfo>> letters = s_.log.Find(s_.plan.dead_letter_topic);
  if (!letters.ok()) return letters.status();
  dead_letters_ = std::make_unique<DeadLetters>(
      s_.plan.dead_letter_topic, *letters ? (*letters)->max_record_bytes : 1 << 20,
      [this](uint32_t ordinal) { return OriginOf(ordinal); }, s_.tally.live());
  pipeline_ = std::make_unique<Pipeline>(s_.topology, pool_, operators_, sinks_, *out_, *dead_letters_);
  rejects_ = [this](const Feed& feed, const Reject& reject) {
    if (!beginning_) beginning_ = RejectedRecord{{feed.id(), reject.offset}, std::string(reject.reason)};
    ++rows_in_epoch_;
    dead_letters_->Add(reject, feed.id(), static_cast<uint32_t>(batch_.from.size()));
    return Status();
  };
  return {};
}

Status Incarnation::OpenFeeds() {
  if (Status s = CheckClosing(); !s.ok()) return s;
  std::map<std::pair<uint32_t, int32_t>, std::vector<Feed*>>
      of_confluence;  // and partition, where these are apart
  for (uint32_t source = 0; source < s_.plan.sources.size(); ++source) {
    const PlannedSource& planned = s_.plan.sources[source];
    for (const PartitionId& id : PartitionsOf(source)) {
      if (Status s = OpenFeed(source, id); !s.ok()) return s;
      of_confluence[{planned.confluence, planned.apart ? id.partition : 0}].push_back(feeds_.back().get());
    }
  }
  for (auto& [confluence, feeds] : of_confluence) {
    merges_.emplace_back(std::move(feeds), pool_, s_.plan.sources, s_.plan.memory.merge / 2);
    finished_marked_.push_back(0);
  }
  clock_.RaiseAll();
  return timers_.Open();
}

// Half of what is for merging goes to the blocks that wait, equal parts, the other half to those of a batch.
size_t Incarnation::BlockBytes() const {
  int64_t partitions = 0;
  for (const int32_t of_source : known_partitions_)
    partitions += of_source;
  return static_cast<size_t>(std::clamp(s_.plan.memory.merge / 2 / std::max<int64_t>(partitions, 1),
                                        kLeastBlockBytes, kMostBlockBytes));
}

Status Incarnation::OpenFeed(uint32_t source, const PartitionId& id) {
  Result<OffsetRange> range = s_.log.Range(id, Isolation::kCommitted);
  if (!range.ok()) return range.status().Within(id.topic);
  int64_t position = range->begin;
  if (const auto found = group_positions_.find(id); found != group_positions_.end()) position = found->second;
  if (closing_) {
    for (const ClosingRecord::Input& input : closing_->inputs) {
      if (input.next.id != id) continue;
      position = input.next.offset;
      clock_.Restore(source, static_cast<size_t>(id.partition), input.saved);
    }
  }
  if (position < range->begin) {
    return {Code::kConflict, "records of " + TextOf(id) + " from offset " + std::to_string(position) +
                                 " on were deleted (retention) before the job read them; the first is now " +
                                 std::to_string(range->begin) + ". Start afresh under another `prefix`"};
  }
  if (s_.options.until_end) s_.ends.emplace(id, range->end);
  FeedOptions options;
  options.max_future = s_.plan.job.frame.max_future;
  options.block_bytes = BlockBytes();
  options.partitions = static_cast<uint32_t>(clock_.source(source).partitions());
  if (s_.options.until_end) options.until = s_.ends.at(id);
  if (const auto found = s_.poison.find(id); found != s_.poison.end()) options.poison = found->second;
  Result<PartitionReader*> reader = consumer_.Assign(id, position);
  if (!reader.ok()) return reader.status().Within(id.topic);
  feeds_.push_back(std::make_unique<Feed>(s_.plan.sources[source], source, id.partition, **reader, position,
                                          s_.clock, pool_, options));
  started_at_.push_back({id, position});
  return {};
}

// What the tasks say of their inputs must be what the group says: together they were committed.
Status Incarnation::CheckClosing() {
  if (stateful_.empty()) return {};
  if (!closing_) {
    if (group_positions_.empty()) return {};
    const auto& [id, offset] = *group_positions_.begin();
    return {Code::kConflict,
            "the group has read " + TextOf(id) + " up to " + std::to_string(offset) +
                ", but the changelogs of the job are empty: they were deleted. Restore them, or start "
                "afresh under another `prefix`"};
  }
  for (const ClosingRecord::Input& input : closing_->inputs) {
    const auto found = group_positions_.find(input.next.id);
    if (found == group_positions_.end() || found->second == input.next.offset) continue;
    return {Code::kConflict,
            "the group stands at " + TextOf(input.next.id) + " offset " + std::to_string(found->second) +
                ", but the job's state was committed at offset " + std::to_string(input.next.offset) +
                ". Somebody reset the group or its changelogs: set "
                "it back to " +
                std::to_string(input.next.offset) +
                ", or start afresh under another "
                "`prefix`"};
  }
  return {};
}

}  // namespace freshet
