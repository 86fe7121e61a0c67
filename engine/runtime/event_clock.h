#pragma once
// Event time in a lane: how far each source and partition has come, and with them the tasks of each stage. A
// function of the rows and of recorded idleness alone. One thread.
//
// Always: no watermark ever falls.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/runtime/row_clock.h"
#include "engine/runtime/topology.h"
#include "engine/runtime/watermarks.h"

namespace freshet {

class EventClock {
 public:
  explicit EventClock(const Topology& topology);

  // The next source of the plan; call once for each before anything else.
  void AddSource(size_t partitions);
  const SourceWatermark& source(uint32_t source) const { return sources_[source]; }
  // What a restart found.
  void Restore(uint32_t source, size_t partition, const SourceWatermark::Saved& saved);
  void RestoreReached(uint32_t clock, Time reached);
  void RaiseAll();

  // A batch begins: rows of the source; where its partitions are apart, of this one alone.
  void BeginBatch(uint32_t source, int32_t partition);
  // Its next row.
  void Take(int32_t partition, Time time);
  // No task downstream is further by now, be the other sources where they may.
  Time highest() const { return highest_; }
  // Of the tasks that it may bring forward.
  std::span<const uint32_t> batch_clocks() const { return batch_clocks_; }
  void EndBatch();
  void SetIdle(uint32_t source, int32_t partition);

  // The watermark of the tasks with that clock.
  Time reached(uint32_t clock) const { return reached_[clock]; }
  RowClock& rows() { return rows_; }
  const RowClock& rows() const { return rows_; }

 private:
  void CollectClocks(uint32_t source, int32_t partition, std::vector<uint32_t>& clocks) const;
  Time WatermarkOf(uint32_t source, int32_t partition) const;
  std::optional<size_t> PartitionOf(uint32_t clock) const;
  const std::vector<uint32_t>& SourcesOf(uint32_t clock) const;
  Time OthersOf(uint32_t clock, uint32_t source) const;
  void Raise(uint32_t clock);

  const Topology& topology_;
  std::vector<SourceWatermark> sources_;
  std::vector<Time> reached_;  // by clock
  RowClock rows_;
  uint32_t source_ = 0;  // of the batch
  Time highest_ = kMinTime;
  std::vector<uint32_t> batch_clocks_;
  std::vector<uint32_t> idle_clocks_;  // scratch
};

}  // namespace freshet
