#pragma once
// The plan's graph with dense indices, as a lane walks it for every batch. Made once; immutable.
#include <cstdint>
#include <vector>

#include "engine/plan/plan.h"

namespace freshet {

struct Topology {
  explicit Topology(const JobPlan& plan);

  struct Inside {         // an edge that stays in its stage
    uint32_t member = 0;  // of the stage
    uint32_t port = 0;
  };
  struct OutputPort {
    std::vector<Inside> inside;
    bool leaves = false;  // read by another stage or a sink
    uint32_t stream = 0;
  };
  struct StageView {
    std::vector<std::vector<OutputPort>> outputs;  // [member][port]
    std::vector<uint32_t> entry;                   // member of each crossing
    std::vector<uint32_t> crossing_stream;         // stream of each crossing
    // Its timers fire in their order, between the same two rows however batches fall: those of some member
    // emit, or the stage reads rows that such a timer gave, which may lie behind what has been cleaned up.
    bool exact_timers = false;
    uint32_t first_clock = 0;
  };

  uint32_t StreamIndex(StreamId id) const;
  // Tasks whose rows come from the same partitions share a clock: all of a stage, but where each has its own.
  uint32_t ClockOf(uint32_t stage, uint32_t shard) const {
    return stages[stage].first_clock + (plan.stages[stage].apart ? shard : 0);
  }
  const JobPlan& plan;
  uint32_t streams = 0;
  std::vector<StageView> stages;
  uint32_t clocks = 0;
  std::vector<uint32_t> stage_of_clock;
  std::vector<std::vector<uint32_t>> sink_streams;  // [sink]
  // Of an operator's timers, as a source's rows may set them.
  struct SourceTimer {
    TimerBound bound;
    Duration before = 0;  // so much earlier than the source's row the rows that reach the operator may be
    // Of a timer that a row at `t` sets; `watermark`: that of its source, or partition, before it. A timer
    // that is due by then is set by no row, as it would be late, or waits for other sources, which stand
    // still in a batch.
    Time Earliest(Time t, Time watermark) const {
      if (before == 0) return bound.Earliest(t);
      const Time from = t - before;
      if (bound.every > 0) return bound.Earliest(from > watermark ? from : watermark);
      const Time earliest = bound.Earliest(from);
      return earliest > watermark ? earliest : watermark + 1;
    }
  };
  std::vector<std::vector<SourceTimer>> source_timers;  // [source]: of all operators downstream
  std::vector<std::vector<uint32_t>> source_stages;     // [source]: stages downstream
  struct Gate {
    uint32_t stage = 0;
    uint32_t member = 0;
    uint32_t port = 0;
    Duration before = 0;  // so much earlier than the source's row the rows that reach it may be
  };
  std::vector<bool> row_by_row;                 // [source]: its rows go one by one
  std::vector<std::vector<Gate>> source_gates;  // [source]: those do that one of these may emit at once for

 private:
  std::vector<bool> LeavingStreams() const;
  void ViewStages();
  std::vector<OutputPort> PortsOf(const PlannedStage& stage, const Member& member,
                                  const std::vector<bool>& leaves) const;
  void FollowSources();
  void AddGate(uint32_t op, uint32_t port, Duration before, std::vector<Gate>& gates) const;
  std::vector<uint32_t> first_stream_;  // of each operator
};

}  // namespace freshet
