#include "engine/log/simulated/simulated_producer.h"

#include "engine/log/simulated/simulated_consumer.h"

namespace freshet {

SimulatedProducer::SimulatedProducer(SimulatedState& state, uint64_t generation, ProducerOptions options)
    : state_(state), generation_(generation), options_(std::move(options)) {}

// Whoever lives aborts what is open; the transaction of a process that was killed, or of a commit in doubt,
// is ended by a successor's Init or its time-out.
SimulatedProducer::~SimulatedProducer() {
  const std::lock_guard lock(state_.mutex);
  if (epoch_ == 0) return;
  if (Result<SimulatedState::Identity*> identity = Held(); identity.ok()) {
    state_.End(**identity, false);
  } else {
    state_.Abandon(options_.transactional_id, epoch_, options_.transaction_timeout);
  }
}

Result<SimulatedState::Identity*> SimulatedProducer::Held() {
  if (Status s = state_.Alive(generation_); !s.ok()) return s;
  if (options_.transactional_id.empty())
    return Internal("a producer without a transactional id has no transactions; use Send and Flush");
  if (!broken_.ok()) return broken_;
  return state_.Held(options_.transactional_id, epoch_);
}

Status SimulatedProducer::Init() {
  const std::lock_guard lock(state_.mutex);
  if (Status s = state_.Alive(generation_); !s.ok()) return s;
  if (options_.transactional_id.empty()) return Internal("Init needs a transactional id");
  if (!broken_.ok()) return broken_;
  epoch_ = state_.Take(options_.transactional_id);
  unfit_ = Status();
  return {};
}

Status SimulatedProducer::Begin() {
  const std::lock_guard lock(state_.mutex);
  Result<SimulatedState::Identity*> identity = Held();
  if (!identity.ok()) return identity.status();
  Status begun = state_.Begin(**identity);
  if (begun.ok()) unfit_ = Status();
  return begun;
}

Status SimulatedProducer::Send(const OutgoingRecord& record) {
  const std::lock_guard lock(state_.mutex);
  if (options_.transactional_id.empty()) return Queue(record);
  Result<SimulatedState::Identity*> identity = Held();
  if (!identity.ok()) return identity.status();
  if (!unfit_.ok()) return unfit_;
  unfit_ = state_.Write(**identity, record);
  return unfit_;
}

Status SimulatedProducer::Queue(const OutgoingRecord& record) {
  if (Status s = state_.Alive(generation_); !s.ok()) return s;
  if (Status s = state_.Check(record); !s.ok()) return s;
  queue_.push_back(
      {{std::string(record.topic), record.partition}, std::make_shared<SimulatedRecord>(record)});
  queued_bytes_ +=
      static_cast<int64_t>((record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0));
  if (queued_bytes_ >= options_.queue_bytes) WriteQueued();
  return {};
}

void SimulatedProducer::WriteQueued() {
  for (Queued& queued : queue_)
    SimulatedState::Append(**state_.Partition(queued.id.topic, queued.id.partition),
                           std::move(queued.record));
  queue_.clear();
  queued_bytes_ = 0;
}

Status SimulatedProducer::MayCommit(std::span<const PartitionOffset> positions,
                                    const SimulatedConsumer& consumer) {
  Result<SimulatedState::Identity*> identity = Held();
  if (!identity.ok()) return identity.status();
  if ((*identity)->transaction == 0) return Internal("Commit outside of a transaction; Begin one first");
  if (!unfit_.ok()) return unfit_;
  if (positions.empty()) return Invalid("a transaction needs at least one position");
  for (const PartitionOffset& position : positions) {
    Result<SimulatedPartition*> found = state_.Partition(position.id.topic, position.id.partition);
    if (!found.ok()) return found.status();
  }
  if (consumer.may_commit()) return {};
  return {Code::kAborted, "this consumer is no member of its group any more; Abort, and Poll to join again"};
}

Status SimulatedProducer::Commit(std::span<const PartitionOffset> positions, Consumer& consumer) {
  const auto& committing = static_cast<const SimulatedConsumer&>(consumer);
  std::unique_lock lock(state_.mutex);
  Status allowed = MayCommit(positions, committing);
  if (const std::function<void(bool)> hook = state_.at_commit; hook && allowed.ok()) {
    lock.unlock();
    hook(true);
    lock.lock();
    allowed = MayCommit(positions, committing);  // the hook may have changed everything
  }
  if (!allowed.ok()) {
    unfit_ = allowed;
    return allowed;
  }
  bool stands = false;
  const Status decided = Decide(positions, committing, stands);
  if (const std::function<void(bool)> hook = state_.at_commit; hook && stands) {
    lock.unlock();
    hook(false);
    lock.lock();
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
  }
  return decided;
}

// All faults are drawn in every commit, so that one that is set does not shift the others.
Status SimulatedProducer::Decide(std::span<const PartitionOffset> positions,
                                 const SimulatedConsumer& consumer, bool& stands) {
  const bool fenced = state_.CommitFault(state_.faults.fenced);
  const bool aborted = state_.CommitFault(state_.faults.aborted_commit);
  const bool in_doubt = state_.CommitFault(state_.faults.commit_in_doubt);
  const bool happened = state_.CommitFault(0.5);
  const std::string& id = options_.transactional_id;
  if (fenced) {
    state_.Take(id);
    return {Code::kFenced, "another producer took over the transactional id " + id + " (a simulated fault)"};
  }
  if (aborted) {
    unfit_ = Status{Code::kAborted, "the transaction was aborted (a simulated fault); Abort and repeat it"};
    return unfit_;
  }
  stands = !in_doubt || happened;
  if (stands) {
    state_.SetPositions(consumer.group(), positions);
    state_.End(**Held(), true);
  }
  if (!in_doubt) return {};
  broken_ =
      Status{Code::kInDoubt, "no answer to the commit of " + id +
                                 " (a simulated fault); Init a new producer and see what the log holds"};
  return broken_;
}

Status SimulatedProducer::Abort() {
  const std::lock_guard lock(state_.mutex);
  Result<SimulatedState::Identity*> identity = Held();
  if (!identity.ok()) return identity.status();
  state_.End(**identity, false);
  unfit_ = Status();
  return {};
}

Status SimulatedProducer::Flush(Duration /*limit*/) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = state_.Alive(generation_); !s.ok()) return s;
  WriteQueued();
  return {};
}

}  // namespace freshet
