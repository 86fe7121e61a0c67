#pragma once
// Producers of a simulated broker. Internal to engine/log/simulated; one thread each.
#include <memory>
#include <string>
#include <vector>

#include "engine/log/simulated/simulated_state.h"

namespace freshet {

class SimulatedConsumer;

class SimulatedProducer final : public Producer {
 public:
  SimulatedProducer(SimulatedState& state, uint64_t generation, ProducerOptions options);
  ~SimulatedProducer() override;
  Status Init() override;
  Status Begin() override;
  Status Send(const OutgoingRecord& record) override;
  Status Commit(std::span<const PartitionOffset> positions, Consumer& consumer) override;
  Status Abort() override;
  Status Flush(Duration limit) override;

 private:
  // A plain record that waits for Flush.
  struct Queued {
    PartitionId id;
    std::shared_ptr<SimulatedRecord> record;
  };
  Result<SimulatedState::Identity*> Held();  // what every transactional call asks first
  Status MayCommit(std::span<const PartitionOffset> positions, const SimulatedConsumer& consumer);
  Status Decide(std::span<const PartitionOffset> positions, const SimulatedConsumer& consumer, bool& stands);
  Status Queue(const OutgoingRecord& record);
  void WriteQueued();

  SimulatedState& state_;
  uint64_t generation_;
  ProducerOptions options_;
  uint64_t epoch_ = 0;
  Status broken_;  // what every further call answers: a commit in doubt
  Status unfit_;   // why the open transaction cannot be committed any more
  std::vector<Queued> queue_;
  int64_t queued_bytes_ = 0;
};

}  // namespace freshet
