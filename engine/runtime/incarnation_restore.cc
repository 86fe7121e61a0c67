// How an incarnation gets its state back: from stores where they are of the changelogs and young enough, and
// from the changelogs and the models' topics.
#include <algorithm>

#include "engine/base/logging.h"
#include "engine/runtime/catch_up.h"
#include "engine/runtime/incarnation.h"

namespace freshet {

namespace {

// Half of what Kafka's delete.retention.ms and the embedded log keep tombstones for: deletions that a younger
// store has not seen are still there to be told.
constexpr Duration kOldestStore = 12 * kHour;

}  // namespace

PartitionId Incarnation::ChangelogOf(const Task& task) const {
  return {s_.plan.stages[task.stage()].changelog, static_cast<int32_t>(task.shard())};
}

// What a store says of itself. One that cannot be brought up to date by the changelog's end is emptied, to be
// rebuilt from its beginning.
Status Incarnation::LookAtStore(TaskState& state) {
  TaskStore& store = *state.task->store();
  const std::optional<int64_t> position = store.stored_position();
  if (!position) return {};
  Result<std::optional<ClosingRecord>> closing = LoadClosing(state);
  if (!closing.ok()) {
    LogWarning("the store in " + store.directory() + " has no readable closing record (" +
               closing.status().message() + "); it is rebuilt from the changelog");
    return store.Clear();
  }
  state.stored = std::move(*closing);
  if (!state.stored) return store.Clear();  // of a changelog without a commit: it holds nothing
  std::string why;
  if (*position > state.changelog_next) {
    why = "is ahead of its changelog " + TextOf(ChangelogOf(*state.task)) + ": it belongs to another one";
  } else {
    const Duration age = s_.clock.Now() - state.stored->committed_at;
    if (age <= kOldestStore) return {};
    why = "is " + FormatDuration(age / kHour * kHour) +
          " old: its changelog may have forgotten rows that were deleted since";
  }
  LogWarning("the store in " + store.directory() + " " + why + "; it is rebuilt from the changelog");
  state.stored.reset();
  return store.Clear();
}

// What the changelogs take; the tasks of a stage share theirs.
Status Incarnation::AskForLimits() {
  std::map<uint32_t, int64_t> of_stage;
  for (TaskState& state : stateful_) {
    const auto [found, is_new] = of_stage.try_emplace(state.task->stage(), 0);
    if (is_new) {
      Result<std::optional<TopicInfo>> topic = s_.log.Find(ChangelogOf(*state.task).topic);
      if (!topic.ok()) return topic.status();
      if (*topic) found->second = (*topic)->max_record_bytes;
    }
    state.most_bytes = found->second;
  }
  return {};
}

Status Incarnation::Restore() {
  if (Status s = AskForLimits(); !s.ok()) return s;
  std::vector<TaskState*> all;
  for (TaskState& state : stateful_) {
    const PartitionId changelog = ChangelogOf(*state.task);
    Result<OffsetRange> range = s_.log.Range(changelog, Isolation::kUncommitted);
    if (!range.ok()) return range.status().Within(changelog.topic);
    state.changelog_begin = range->begin;
    state.changelog_next = range->end;
    if (Status s = LookAtStore(state); !s.ok()) return s;
    all.push_back(&state);
  }
  if (Status s = ReadChangelogs(all); !s.ok()) return s;
  if (Status s = RebuildForeignStores(); !s.ok()) return s;
  for (TaskState& state : stateful_) {
    if (Status s = ReadClosing(state); !s.ok()) return s;
  }
  for (const std::unique_ptr<StageOperators>& stage : operators_) {
    if (Status s = stage->Start(); !s.ok()) return s;
  }
  return {};
}

// From the stores' positions to the ends.
Status Incarnation::ReadChangelogs(const std::vector<TaskState*>& states) {
  std::vector<CatchUp> parts;
  for (TaskState* state : states) {
    const int64_t begin = state->changelog_begin;
    const int64_t from = std::max(begin, state->task->store()->stored_position().value_or(begin));
    parts.push_back({ChangelogOf(*state->task), from, state->changelog_next,
                     [this, state](const RecordView& record) { return ApplyChange(*state, record); }});
  }
  return ReadAll(s_.log, std::move(parts), s_.plan.memory.restore, s_.options.patience, s_.clock,
                 s_.keep_alive);
}

// A store keeps its own closing record until the changelog has shown one of the same lineage: so it is known
// as a foreign one however often the restore is broken off.
Status Incarnation::ApplyChange(TaskState& state, const RecordView& record) {
  if (!record.key || state.foreign) return {};
  TaskStore& store = *state.task->store();
  if (record.value && store.IsRow(state.closing->spec(), kClosingKey, *record.key)) {
    Result<ClosingRecord> closing = DecodeClosing(*record.value);
    if (!closing.ok()) return closing.status();
    state.foreign = state.stored && state.stored->lineage != closing->lineage;
    if (state.foreign) return {};
    state.closing_at = record.offset;
    state.read = std::move(*closing);
  }
  Status applied = store.Apply(*record.key, record.value);
  state.foreign = applied.code() == Code::kCorrupt && state.stored;  // else it is the changelog
  return state.foreign ? Status() : applied;
}

// The last closing record of a changelog is never compacted away, and a store's position lies before its own:
// so a changelog that shows none after it is another one.
Status Incarnation::RebuildForeignStores() {
  std::vector<TaskState*> foreign;
  for (TaskState& state : stateful_) {
    if (!state.stored) continue;
    if (!state.foreign && state.read && state.read->epoch >= state.stored->epoch) continue;
    TaskStore& store = *state.task->store();
    LogWarning("the store in " + store.directory() + " is not of the changelog " +
               TextOf(ChangelogOf(*state.task)) +
               ": it belongs to another one; it is rebuilt from the changelog");
    if (Status s = store.Clear(); !s.ok()) return s;
    state.foreign = false;
    state.stored.reset();
    state.read.reset();
    foreign.push_back(&state);
  }
  return ReadChangelogs(foreign);
}

Result<std::optional<ClosingRecord>> Incarnation::LoadClosing(const TaskState& state) const {
  RawTable::Slot slot;
  if (Status s = state.closing->Load(kClosingKey, slot); !s.ok()) return s;
  if (!slot.present()) return std::optional<ClosingRecord>();
  Result<ClosingRecord> decoded = DecodeClosing(slot.bytes());
  if (!decoded.ok()) return decoded.status();
  return std::optional<ClosingRecord>(std::move(*decoded));
}

// Every commit closes every task, so all must name the same epoch: one that does not has lost its changelog.
Status Incarnation::ReadClosing(TaskState& state) {
  TaskStore& store = *state.task->store();
  std::optional<ClosingRecord> found = std::move(state.read);
  const int64_t position = found ? state.closing_at : state.changelog_next;
  // Restored rows can be read only after it.
  if (Status s = store.EndRestore(position, found ? found->epoch : 0); !s.ok()) return s;
  state.lineage = found ? found->lineage : s_.options.draw_lineage();
  if (found && found->fingerprint != s_.plan.fingerprint) {
    return {
        Code::kConflict,
        "the job file has other stages, shards, keys or tables (or `partitioned_by` and `order`) than those "
        "whose state is in " +
            ChangelogOf(*state.task).topic + "; set it back, or start afresh under another `prefix`"};
  }
  if (found) {
    clock_.RestoreReached(s_.topology.ClockOf(state.task->stage(), state.task->shard()),
                          found->task_watermark);
  }
  if (&state == &stateful_.front()) {
    closing_ = std::move(found);
    epoch_ = closing_ ? closing_->epoch : 0;
    return {};
  }
  const uint64_t epoch = found ? found->epoch : 0;
  if (epoch == epoch_) return {};
  return {Code::kConflict,
          "the changelogs of the job disagree: " + TextOf(ChangelogOf(*stateful_[0].task)) +
              " ends with commit " + std::to_string(epoch_) + ", " + TextOf(ChangelogOf(*state.task)) +
              " with commit " + std::to_string(epoch) +
              ". One was deleted or cut: restore it, or start afresh under another `prefix`"};
}

Status Incarnation::RestoreModels() {
  std::vector<CatchUp> parts;
  std::vector<std::unique_ptr<ModelReader>> readers;
  for (const PlannedModel& model : s_.plan.models) {
    readers.push_back(std::make_unique<ModelReader>(*models_[model.name]));
    const PartitionId topic{model.topic, 0};
    Result<OffsetRange> range = s_.log.Range(topic, Isolation::kUncommitted);
    if (!range.ok()) return range.status().Within(model.topic);
    parts.push_back(
        {topic, range->begin, range->end, [reader = readers.back().get()](const RecordView& record) {
           if (!record.key || !record.value) return Status();
           return reader->Apply(*record.key, *record.value);
         }});
  }
  if (Status s = ReadAll(s_.log, std::move(parts), s_.plan.memory.restore, s_.options.patience, s_.clock,
                         s_.keep_alive);
      !s.ok()) {
    return s;
  }
  for (const PlannedModel& model : s_.plan.models) {
    published_[model.name] = models_[model.name]->version();
    const auto table = private_tables_.find(model.name);
    if (table == private_tables_.end()) continue;
    if (Status s = LoadPrivate(*models_[model.name], *table->second); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet
