#include "engine/runtime/event_clock.h"

#include <algorithm>

namespace freshet {

EventClock::EventClock(const Topology& topology) : topology_(topology), reached_(topology.clocks, kMinTime) {
  rows_.views.resize(topology.clocks);
}

void EventClock::AddSource(size_t partitions) {
  const PlannedSource& planned = topology_.plan.sources[sources_.size()];
  sources_.emplace_back(partitions, planned.max_out_of_orderness);
}

void EventClock::Restore(uint32_t source, size_t partition, const SourceWatermark::Saved& saved) {
  sources_[source].Restore(partition, saved);
}

void EventClock::RestoreReached(uint32_t clock, Time reached) {
  reached_[clock] = std::max(reached_[clock], reached);
}

void EventClock::RaiseAll() {
  for (uint32_t clock = 0; clock < reached_.size(); ++clock)
    Raise(clock);
}

// Of the tasks downstream that rows of the partition may come to.
void EventClock::CollectClocks(uint32_t source, int32_t partition, std::vector<uint32_t>& clocks) const {
  clocks.clear();
  for (const uint32_t stage : topology_.source_stages[source])
    clocks.push_back(topology_.ClockOf(stage, static_cast<uint32_t>(partition)));
}

Time EventClock::WatermarkOf(uint32_t source, int32_t partition) const {
  std::optional<size_t> alone;
  if (topology_.plan.sources[source].apart) alone = static_cast<size_t>(partition);
  return sources_[source].Read(alone).watermark;
}

// The partition of each source that the tasks' rows come from, where these are apart.
std::optional<size_t> EventClock::PartitionOf(uint32_t clock) const {
  const uint32_t stage = topology_.stage_of_clock[clock];
  if (!topology_.plan.stages[stage].apart) return std::nullopt;
  return clock - topology_.stages[stage].first_clock;
}

const std::vector<uint32_t>& EventClock::SourcesOf(uint32_t clock) const {
  return topology_.plan.stages[topology_.stage_of_clock[clock]].sources;
}

// Where the other active sources upstream of these tasks have come.
Time EventClock::OthersOf(uint32_t clock, uint32_t source) const {
  Time others = kMaxTime;
  for (const uint32_t other : SourcesOf(clock)) {
    if (other == source) continue;
    const SourceWatermark::Reading reading = sources_[other].Read(PartitionOf(clock));
    if (!reading.idle) others = std::min(others, reading.watermark);
  }
  return others;
}

void EventClock::BeginBatch(uint32_t source, int32_t partition) {
  source_ = source;
  rows_.before.clear();
  CollectClocks(source, partition, batch_clocks_);
  highest_ = kMinTime;
  for (const uint32_t clock : batch_clocks_) {
    rows_.views[clock] = {reached_[clock], OthersOf(clock, source)};
    highest_ = std::max(highest_, reached_[clock]);
  }
}

void EventClock::Take(int32_t partition, Time time) {
  rows_.before.push_back(WatermarkOf(source_, partition));
  sources_[source_].Observe(static_cast<size_t>(partition), time);
  highest_ = std::max(highest_, WatermarkOf(source_, partition));
}

void EventClock::EndBatch() {
  for (const uint32_t clock : batch_clocks_)
    Raise(clock);
}

void EventClock::SetIdle(uint32_t source, int32_t partition) {
  sources_[source].SetIdle(static_cast<size_t>(partition), true);
  CollectClocks(source, partition, idle_clocks_);
  for (const uint32_t clock : idle_clocks_)
    Raise(clock);
}

void EventClock::Raise(uint32_t clock) {
  reached_[clock] = std::max(reached_[clock], LeastWatermark(sources_, SourcesOf(clock), PartitionOf(clock)));
}

}  // namespace freshet
