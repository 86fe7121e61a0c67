#include "engine/log/simulated/simulated_state.h"

#include <algorithm>
#include <unordered_set>

namespace freshet {

namespace {
constexpr Duration kTombstonesLast = kDay;
}  // namespace

SimulatedRecord::SimulatedRecord(const OutgoingRecord& record)
    : timestamp(record.timestamp), key(record.key), value(record.value) {
  for (const Header& header : record.headers)
    headers.emplace_back(header.key, header.value);
}

int64_t SimulatedPartition::End(Isolation isolation) const {
  int64_t stable = end;
  if (isolation == Isolation::kUncommitted) return stable;
  for (const auto& [transaction, first] : open)
    stable = std::min(stable, first);
  return stable;
}

std::shared_ptr<const SimulatedRecord> SimulatedPartition::At(int64_t from, int64_t until,
                                                              Isolation isolation) const {
  auto record = std::lower_bound(records.begin(), records.end(), from,
                                 [](const auto& stored, int64_t offset) { return stored->offset < offset; });
  for (; record != records.end() && (*record)->offset < until; ++record) {
    if (isolation == Isolation::kUncommitted || !aborted.contains((*record)->transaction)) return *record;
  }
  return nullptr;
}

SimulatedState::SimulatedState(uint64_t seed, Time start)
    : clock(start), fetches_(seed), commits_(seed ^ 0x9e3779b97f4a7c15) {}

Status SimulatedState::Alive(uint64_t generation) const {
  if (generation == generation_) return {};
  return {Code::kUnreachable, "the process that opened this crashed (Crash was called); open the log again"};
}

Status SimulatedState::Create(std::string_view name, const TopicSettings& settings) {
  if (topics_.contains(name)) return {Code::kConflict, "topic `" + std::string(name) + "` exists already"};
  if (name.empty() || settings.partitions < 1)
    return Invalid("a topic needs a name and at least one partition");
  Topic& topic = topics_[std::string(name)];
  topic.info = {settings.partitions, kMostRecordBytes, settings.compacted,
                settings.retention.value_or(kMaxTime)};
  topic.partitions.resize(static_cast<size_t>(settings.partitions));
  return {};
}

std::vector<std::string> SimulatedState::Topics() const {
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_)
    names.push_back(name);
  return names;
}

std::optional<TopicInfo> SimulatedState::Find(std::string_view name) const {
  const auto topic = topics_.find(name);
  return topic == topics_.end() ? std::nullopt : std::optional<TopicInfo>(topic->second.info);
}

Result<SimulatedPartition*> SimulatedState::Partition(std::string_view name, int32_t partition) {
  const auto topic = topics_.find(name);
  if (topic == topics_.end() || partition < 0 || partition >= topic->second.info.partitions) {
    return Status{Code::kNotFound, "there is no partition " + std::to_string(partition) + " of topic `" +
                                       std::string(name) + "` in the simulated log; create the topic first"};
  }
  return &topic->second.partitions[static_cast<size_t>(partition)];
}

Status SimulatedState::Check(const OutgoingRecord& record) const {
  const auto topic = topics_.find(record.topic);
  if (topic == topics_.end() || record.partition < 0 || record.partition >= topic->second.info.partitions) {
    return {Code::kNotFound, "there is no partition " + std::to_string(record.partition) + " of topic `" +
                                 std::string(record.topic) + "` to write to; create the topic first"};
  }
  size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const Header& header : record.headers)
    bytes += header.key.size() + header.value.size();
  if (bytes <= static_cast<size_t>(topic->second.info.max_record_bytes)) return {};
  return Invalid("a record of " + std::to_string(bytes) + " bytes is too large for topic `" +
                 std::string(record.topic) + "` (at most " +
                 std::to_string(topic->second.info.max_record_bytes) + ")");
}

void SimulatedState::Append(SimulatedPartition& partition, std::shared_ptr<SimulatedRecord> record,
                            uint64_t transaction) {
  record->offset = partition.end++;
  record->transaction = transaction;
  if (transaction != 0) partition.open.try_emplace(transaction, record->offset);
  partition.records.push_back(std::move(record));
}

Status SimulatedState::Compact(std::string_view name) {
  const auto topic = topics_.find(name);
  if (topic == topics_.end()) return {Code::kNotFound, "there is no topic `" + std::string(name) + "`"};
  if (!topic->second.info.compacted) return Invalid("topic `" + std::string(name) + "` is not compacted");
  for (SimulatedPartition& partition : topic->second.partitions) {
    const int64_t stable = partition.End(Isolation::kCommitted);
    std::unordered_set<std::string> seen;
    std::vector<std::shared_ptr<const SimulatedRecord>> kept;
    for (auto record = partition.records.rbegin(); record != partition.records.rend(); ++record) {
      const SimulatedRecord& stored = **record;
      const bool settled = stored.offset < stable;
      if (settled && partition.aborted.contains(stored.transaction)) continue;
      if (settled && stored.key) {
        const bool last = seen.insert(*stored.key).second;
        const bool expired = !stored.value && stored.timestamp < clock.Now() - kTombstonesLast;
        if (!last || expired) continue;
      }
      kept.push_back(*record);
    }
    std::reverse(kept.begin(), kept.end());
    partition.records = std::move(kept);
  }
  return {};
}

uint64_t SimulatedState::Take(const std::string& id) {
  Identity& identity = identities_[id];
  End(identity, false);
  return ++identity.epoch;
}

Result<SimulatedState::Identity*> SimulatedState::Held(const std::string& id, uint64_t epoch) {
  Identity& identity = identities_[id];
  if (epoch == 0) return Internal("Init was not called for the transactional id " + id);
  if (identity.epoch == epoch) return &identity;
  return Status{Code::kFenced, "another producer took over the transactional id " + id +
                                   "; stop this one, or see which other process uses its name"};
}

Status SimulatedState::Begin(Identity& identity) {
  if (identity.transaction != 0) return Internal("Begin within a transaction; Commit or Abort it first");
  identity.transaction = ++transactions_;
  return {};
}

Status SimulatedState::Write(Identity& identity, const OutgoingRecord& record) {
  if (identity.transaction == 0) return Internal("Send outside of a transaction; Begin one first");
  if (Status s = Check(record); !s.ok()) {
    return s.code() == Code::kInvalid ? Status(Code::kUnwritable, s.message()) : s;
  }
  if (Status s = at_send ? at_send(record) : Status(); !s.ok()) return s;
  Result<SimulatedPartition*> partition = Partition(record.topic, record.partition);
  if (!partition.ok()) return partition.status();
  if (!(*partition)->open.contains(identity.transaction))
    identity.written.insert({std::string(record.topic), record.partition});
  Append(**partition, std::make_shared<SimulatedRecord>(record), identity.transaction);
  return {};
}

void SimulatedState::End(Identity& identity, bool commit) {
  for (const PartitionId& id : identity.written) {
    SimulatedPartition& partition = **Partition(id.topic, id.partition);
    partition.open.erase(identity.transaction);
    if (!commit) partition.aborted.insert(identity.transaction);
    ++partition.end;  // the marker
  }
  identity.written.clear();
  identity.transaction = 0;
  identity.abandoned_at.reset();
}

void SimulatedState::Abandon(const std::string& id, uint64_t epoch, Duration transaction_timeout) {
  Identity& identity = identities_[id];
  if (identity.epoch == epoch && identity.transaction != 0)
    identity.abandoned_at = clock.Now() + transaction_timeout;
}

void SimulatedState::Advance(Duration by) {
  clock.Advance(by);
  const Time now = clock.Now();
  for (auto& [name, identity] : identities_) {
    if (!identity.abandoned_at || *identity.abandoned_at > now) continue;
    End(identity, false);
    ++identity.epoch;
  }
  for (auto& [name, group] : groups_)
    ExpelSilent(group);
}

}  // namespace freshet
