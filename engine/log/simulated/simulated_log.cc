#include "engine/log/simulated/simulated_log.h"

#include <utility>

#include "engine/log/simulated/simulated_consumer.h"
#include "engine/log/simulated/simulated_producer.h"
#include "engine/log/simulated/simulated_state.h"

namespace freshet {

namespace {

class SimulatedLog final : public Log {
 public:
  SimulatedLog(SimulatedState& state, uint64_t generation) : state_(state), generation_(generation) {}

  std::string Describe() const override { return "the simulated log"; }

  Result<std::vector<std::string>> Topics() override {
    const std::lock_guard lock(state_.mutex);
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
    return state_.Topics();
  }

  Result<std::optional<TopicInfo>> Find(std::string_view topic) override {
    const std::lock_guard lock(state_.mutex);
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
    return state_.Find(topic);
  }

  Status Create(std::string_view topic, const TopicSettings& settings) override {
    const std::lock_guard lock(state_.mutex);
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
    return state_.Create(topic, settings);
  }

  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) override {
    const std::lock_guard lock(state_.mutex);
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
    Result<SimulatedPartition*> partition = state_.Partition(id.topic, id.partition);
    if (!partition.ok()) return partition.status();
    return OffsetRange{0, (*partition)->End(isolation)};
  }

  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    const std::lock_guard lock(state_.mutex);
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
    return std::unique_ptr<Consumer>(std::make_unique<SimulatedConsumer>(state_, generation_, options));
  }

  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    const std::lock_guard lock(state_.mutex);
    if (Status s = state_.Alive(generation_); !s.ok()) return s;
    return std::unique_ptr<Producer>(std::make_unique<SimulatedProducer>(state_, generation_, options));
  }

 private:
  SimulatedState& state_;
  uint64_t generation_;
};

}  // namespace

SimulatedBroker::SimulatedBroker(uint64_t seed, Time start)
    : state_(std::make_unique<SimulatedState>(seed, start)) {}
SimulatedBroker::~SimulatedBroker() = default;

void SimulatedBroker::set_faults(const SimulatedFaults& faults) {
  const std::lock_guard lock(state_->mutex);
  state_->faults = faults;
}

void SimulatedBroker::set_at_commit(std::function<void(bool before)> hook) {
  const std::lock_guard lock(state_->mutex);
  state_->at_commit = std::move(hook);
}

void SimulatedBroker::set_at_send(std::function<Status(const OutgoingRecord& record)> hook) {
  const std::lock_guard lock(state_->mutex);
  state_->at_send = std::move(hook);
}

void SimulatedBroker::Crash() {
  const std::lock_guard lock(state_->mutex);
  state_->EndGeneration();
}

const Clock& SimulatedBroker::clock() const {
  return state_->clock;
}

void SimulatedBroker::Advance(Duration by) {
  const std::lock_guard lock(state_->mutex);
  state_->Advance(by);
}

Status SimulatedBroker::Compact(std::string_view topic) {
  const std::lock_guard lock(state_->mutex);
  return state_->Compact(topic);
}

std::unique_ptr<Log> OpenSimulatedLog(SimulatedBroker& broker) {
  const std::lock_guard lock(broker.state().mutex);
  return std::make_unique<SimulatedLog>(broker.state(), broker.state().generation());
}

}  // namespace freshet
