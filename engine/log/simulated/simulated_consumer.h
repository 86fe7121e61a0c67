#pragma once
// Consumers of a simulated broker and their readers. Internal to engine/log/simulated; one thread each, but
// for Wake.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/log/simulated/simulated_state.h"

namespace freshet {

class SimulatedReader final : public PartitionReader {
 public:
  SimulatedReader(SimulatedState& state, uint64_t generation, PartitionId id, int64_t offset,
                  Isolation isolation);
  Result<const RecordView*> Next() override;
  int64_t position() const override { return position_; }
  bool has_known_lag() const override { return delayed_; }
  bool at_end() const override { return at_end_; }
  int64_t end_seen() const override { return end_; }

  // With the lock of the state held.
  bool news() const;  // something is at hand, and there was nothing when last asked
  bool delayed() const { return delayed_; }
  Time arrives() const { return arrives_; }
  void Polled();  // lets a delayed fetch come, if it is time

 private:
  bool Fetch(const SimulatedPartition& partition);
  SimulatedState& state_;
  uint64_t generation_;
  PartitionId id_;
  Isolation isolation_;
  int64_t position_;
  int64_t fetched_ = -1;  // everything below is at hand
  int64_t end_ = -1;
  bool at_end_ = false;
  bool had_nothing_ = true;
  bool delayed_ = false;
  Time arrives_ = 0;                             // of a delayed fetch
  int polls_left_ = 0;                           // after so many it comes even where time stands still
  std::shared_ptr<const SimulatedRecord> held_;  // what record_ views
  RecordView record_;
  std::vector<Header> headers_;
};

class SimulatedConsumer final : public Consumer {
 public:
  SimulatedConsumer(SimulatedState& state, uint64_t generation, ConsumerOptions options);
  ~SimulatedConsumer() override;
  Status Join(std::string_view placement_topic) override;
  Result<GroupChange> Poll(Duration timeout) override;
  void Wake() override { woken_ = true; }
  Result<PartitionReader*> Assign(const PartitionId& id, int64_t offset) override;
  Status Release(const PartitionId& id) override;
  Result<std::vector<std::optional<int64_t>>> Committed(std::span<const PartitionId> ids) override;
  Status Close(Duration limit) override;

  const std::string& group() const { return options_.group; }
  bool may_commit() const;  // with the lock of the state held

 private:
  Status Usable() const;
  void Leave();
  Result<GroupChange> TakeChange();
  void LetTimePass(Duration timeout);

  SimulatedState& state_;
  uint64_t generation_;
  ConsumerOptions options_;
  int32_t shares_ = 0;          // of the placement topic
  Group::MemberId member_ = 0;  // 0: not joined
  std::map<PartitionId, std::unique_ptr<SimulatedReader>> readers_;
  std::atomic<bool> woken_{false};
  bool closed_ = false;
};

}  // namespace freshet
