// The commit: outputs, changed rows, closing records, models and input offsets in one transaction of the log;
// only then, and not every time, the stores.
#include <algorithm>
#include <cstring>

#include "engine/runtime/incarnation.h"

namespace freshet {

namespace {

// Whoever made it so large is found by making epochs smaller.
Status TooLarge(size_t bytes, int64_t limit) {
  return {Code::kUnwritable, "a row of state has " + std::to_string(bytes) +
                                 " bytes, the topic takes records of " + std::to_string(limit) +
                                 ": raise its max.message.bytes, or keep less in a row"};
}

// Of records that every epoch sends: no row is to blame, so none must be left out.
Status OfNoRow(const Status& sent) {
  return sent.code() == Code::kUnwritable ? Status(Code::kInvalid, sent.message()) : sent;
}

}  // namespace

std::vector<ClosingRecord::Input> Incarnation::Inputs() const {
  std::vector<ClosingRecord::Input> inputs;
  for (const std::unique_ptr<Feed>& feed : feeds_) {
    inputs.push_back({{feed->id(), feed->position()},
                      clock_.source(feed->source_index()).Save(static_cast<size_t>(feed->partition()))});
  }
  std::sort(inputs.begin(), inputs.end(), [](const ClosingRecord::Input& a, const ClosingRecord::Input& b) {
    return a.next.id < b.next.id;
  });
  return inputs;
}

Status Incarnation::WriteClosing(const TaskState& state, Time now,
                                 const std::vector<ClosingRecord::Input>& inputs) {
  ClosingRecord record;
  record.lineage = state.lineage;
  record.committed_at = now;
  record.epoch = epoch_ + 1;
  record.lane = s_.options.lane;
  record.fingerprint = s_.plan.fingerprint;
  record.task_watermark = clock_.reached(s_.topology.ClockOf(state.task->stage(), state.task->shard()));
  record.inputs = inputs;
  const std::string bytes = EncodeClosing(record);
  RawTable::Slot slot;
  if (Status s = state.closing->Load(kClosingKey, slot); !s.ok()) return s;
  std::memcpy(state.closing->Edit(slot, static_cast<uint32_t>(bytes.size())), bytes.data(), bytes.size());
  return {};
}

Status Incarnation::SendChanges(const std::vector<ClosingRecord::Input>& inputs) {
  const Time now = s_.clock.Now();
  for (const auto& [model, table] : private_tables_) {
    if (Status s = SavePrivate(*models_[model], *table); !s.ok()) return s;
  }
  for (TaskState& state : stateful_) {
    if (Status s = WriteClosing(state, now, inputs); !s.ok()) return s;
    const PartitionId changelog = ChangelogOf(*state.task);
    OutgoingRecord record;
    record.topic = changelog.topic;
    record.partition = changelog.partition;
    record.timestamp = now;
    state.sent = state.closing_sent = 0;
    Status sent =
        state.task->store()->Collect([&](std::string_view key, std::optional<std::string_view> value) {
          record.key = key;
          record.value = value;
          const bool closing = state.task->store()->IsRow(state.closing->spec(), kClosingKey, key);
          if (closing) state.closing_sent = state.sent;
          ++state.sent;
          const size_t bytes = key.size() + (value ? value->size() : 0);
          state.changelog_bytes->Add(bytes);
          Status row = Fits(bytes, state.most_bytes) ? out_->Send(record) : TooLarge(bytes, state.most_bytes);
          return closing ? OfNoRow(row) : row;
        });
    if (!sent.ok()) return sent.Within(changelog.topic);
  }
  for (const PlannedModel& model : s_.plan.models) {
    if (!private_tables_.contains(model.name)) continue;
    Status sent = PublishModel(*models_[model.name], model.topic, published_[model.name], now, *out_);
    if (!sent.ok()) return OfNoRow(sent.Within(model.topic));
  }
  return {};
}

Status Incarnation::Commit() {
  const std::vector<ClosingRecord::Input> inputs = Inputs();
  if (Status s = SendChanges(inputs); !s.ok()) return s;
  std::vector<PartitionOffset> positions;
  for (const ClosingRecord::Input& input : inputs)
    positions.push_back(input.next);
  if (Status s = out_->Commit(positions, consumer_); !s.ok()) return s;
  ++epoch_;
  rows_in_epoch_ = 0;
  beginning_.reset();
  for (TaskState& state : stateful_) {
    // A lower bound is enough: applying a record twice changes nothing, and markers only add to the true
    // position.
    state.closing_at = state.changelog_next + state.closing_sent;
    state.changelog_next += state.sent;
    state.task->store()->Committed(state.closing_at, epoch_);
  }
  s_.tally.Keep();
  return FlushStores();
}

Status Incarnation::FlushStores() {
  size_t unstored = 0;
  for (const TaskState& state : stateful_)
    unstored += state.task->store()->unstored_bytes();
  const Duration now = s_.clock.Steady();
  if (now - last_flush_ < s_.options.flush_interval && unstored < static_cast<size_t>(s_.plan.memory.dirty) &&
      !cache_is_full()) {
    return {};
  }
  last_flush_ = now;
  for (const TaskState& state : stateful_) {
    TaskStore& store = *state.task->store();
    const uint64_t before = store.stats().stored_bytes;
    if (Status s = store.Flush(); !s.ok())
      return s.Within("stage `" + s_.plan.stages[state.task->stage()].name + "`");
    state.store_bytes->Add(store.stats().stored_bytes - before);
  }
  s_.tally.Keep();  // what was stored is committed
  return {};
}

}  // namespace freshet
