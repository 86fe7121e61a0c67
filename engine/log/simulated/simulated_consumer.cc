#include "engine/log/simulated/simulated_consumer.h"

#include <algorithm>

namespace freshet {

namespace {
constexpr uint64_t kMostFetched = 64;  // records of one fetch where fetches may be delayed
constexpr uint64_t kMostDelay = 20;    // milliseconds
constexpr int kMostPolls = 16;
}  // namespace

SimulatedReader::SimulatedReader(SimulatedState& state, uint64_t generation, PartitionId id, int64_t offset,
                                 Isolation isolation)
    : state_(state), generation_(generation), id_(std::move(id)), isolation_(isolation), position_(offset) {}

bool SimulatedReader::news() const {
  return had_nothing_ && !delayed_ &&
         (*state_.Partition(id_.topic, id_.partition))->End(isolation_) > position_;
}

void SimulatedReader::Polled() {
  if (delayed_ && (state_.clock.Now() >= arrives_ || --polls_left_ <= 0)) {
    delayed_ = false;
    const int64_t most = static_cast<int64_t>(1 + state_.FetchDraw(kMostFetched));
    fetched_ = std::min(position_ + most, end_);
  }
}

// Whether anything between the position and the end is at hand.
bool SimulatedReader::Fetch(const SimulatedPartition& partition) {
  if (position_ < fetched_) return true;
  end_ = partition.End(isolation_);
  fetched_ = end_;
  const double fault = state_.faults.delayed_fetch;
  if (position_ >= end_ || fault <= 0) return position_ < end_;
  if (state_.FetchFault(fault)) {
    delayed_ = true;
    at_end_ = false;
    arrives_ = state_.clock.Now() + static_cast<Duration>(1 + state_.FetchDraw(kMostDelay)) * kMillisecond;
    polls_left_ = kMostPolls;
    return false;
  }
  fetched_ = std::min(position_ + static_cast<int64_t>(1 + state_.FetchDraw(kMostFetched)), end_);
  return true;
}

Result<const RecordView*> SimulatedReader::Next() {
  const std::lock_guard lock(state_.mutex);
  if (Status s = state_.Alive(generation_); !s.ok()) return s;
  const RecordView* none = nullptr;
  had_nothing_ = true;
  if (delayed_) return none;
  const SimulatedPartition& partition = **state_.Partition(id_.topic, id_.partition);
  while (Fetch(partition)) {
    held_ = partition.At(position_, fetched_, isolation_);
    if (held_ == nullptr) {  // markers and aborted records
      position_ = fetched_;
      continue;
    }
    headers_.clear();
    for (const auto& [key, value] : held_->headers)
      headers_.push_back({key, value});
    record_ = {held_->offset, held_->timestamp, held_->key, held_->value, headers_};
    position_ = held_->offset + 1;
    at_end_ = false;
    had_nothing_ = false;
    return &record_;
  }
  at_end_ = !delayed_;
  return none;
}

SimulatedConsumer::SimulatedConsumer(SimulatedState& state, uint64_t generation, ConsumerOptions options)
    : state_(state), generation_(generation), options_(std::move(options)) {}

SimulatedConsumer::~SimulatedConsumer() {
  const std::lock_guard lock(state_.mutex);
  Leave();
}

Status SimulatedConsumer::Usable() const {
  if (closed_) return Invalid("the consumer was closed");
  return state_.Alive(generation_);
}

// The dead cannot leave: their members stay until the session's time-out.
void SimulatedConsumer::Leave() {
  if (member_ != 0 && state_.Alive(generation_).ok()) state_.Leave(options_.group, member_);
  member_ = 0;
}

Status SimulatedConsumer::Join(std::string_view placement_topic) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = Usable(); !s.ok()) return s;
  if (options_.group.empty()) return Invalid("a consumer without a group cannot join one");
  if (member_ != 0) return Internal("Join was called twice on a consumer of group " + options_.group);
  const std::optional<TopicInfo> topic = state_.Find(placement_topic);
  if (!topic) {
    return {Code::kNotFound,
            "there is no topic `" + std::string(placement_topic) + "` to join; create it first"};
  }
  shares_ = topic->partitions;
  member_ = state_.Join(options_.group, options_.instance, options_.session_timeout, shares_);
  return {};
}

Result<GroupChange> SimulatedConsumer::TakeChange() {
  if (member_ == 0) return GroupChange();
  Result<GroupChange> change = state_.TakeChange(options_.group, member_);
  if (change.ok() && change->lost)  // and joins again at once, as Kafka's clients do
    member_ = state_.Join(options_.group, options_.instance, options_.session_timeout, shares_);
  return change;
}

void SimulatedConsumer::LetTimePass(Duration timeout) {
  Duration by = timeout;
  for (const auto& [id, reader] : readers_) {
    if (reader->news()) return;
    if (reader->delayed()) by = std::clamp<Duration>(reader->arrives() - state_.clock.Now(), 0, by);
  }
  state_.Advance(by);
}

Result<GroupChange> SimulatedConsumer::Poll(Duration timeout) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = Usable(); !s.ok()) return s;
  Result<GroupChange> change = TakeChange();
  const bool woken = woken_.exchange(false);
  if (change.ok() && change->empty() && !woken && timeout > 0) {
    LetTimePass(timeout);
    change = TakeChange();
  }
  for (const auto& [id, reader] : readers_)
    reader->Polled();
  return change;
}

Result<PartitionReader*> SimulatedConsumer::Assign(const PartitionId& id, int64_t offset) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = Usable(); !s.ok()) return s;
  if (Result<SimulatedPartition*> found = state_.Partition(id.topic, id.partition); !found.ok())
    return found.status();
  if (offset < 0) return Internal("partition of `" + id.topic + "` assigned at a negative offset");
  std::unique_ptr<SimulatedReader>& reader = readers_[id];
  if (reader != nullptr) return Internal("partition assigned twice: " + id.topic);
  reader = std::make_unique<SimulatedReader>(state_, generation_, id, offset, options_.isolation);
  return static_cast<PartitionReader*>(reader.get());
}

Status SimulatedConsumer::Release(const PartitionId& id) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = Usable(); !s.ok()) return s;
  if (readers_.erase(id) == 1) return {};
  return Internal("partition " + std::to_string(id.partition) + " of `" + id.topic + "` is not assigned");
}

Result<std::vector<std::optional<int64_t>>> SimulatedConsumer::Committed(std::span<const PartitionId> ids) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = Usable(); !s.ok()) return s;
  if (options_.group.empty()) return Invalid("a consumer without a group has no committed positions");
  std::vector<std::optional<int64_t>> positions;
  for (const PartitionId& id : ids)
    positions.push_back(state_.Committed(options_.group, id));
  return positions;
}

Status SimulatedConsumer::Close(Duration /*limit*/) {
  const std::lock_guard lock(state_.mutex);
  if (Status s = Usable(); !s.ok()) return s;
  Leave();
  readers_.clear();
  closed_ = true;
  return {};
}

bool SimulatedConsumer::may_commit() const {
  return member_ != 0 && state_.Alive(generation_).ok() && state_.IsMember(options_.group, member_);
}

}  // namespace freshet
