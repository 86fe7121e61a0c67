#pragma once
// Event-time progress of a lane: per source partition the highest event time less max_out_of_orderness, per
// source the least of its active partitions. A function of the rows and of recorded idleness alone. One
// thread.
//
// Always: no watermark ever falls. A partition gone idle stops counting; where all partitions of a source are
// idle the source keeps the highest watermark any of them had.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/time.h"

namespace freshet {

class SourceWatermark {
 public:
  SourceWatermark(size_t partitions, Duration max_out_of_orderness)
      : partitions_(partitions),
        active_(static_cast<int>(partitions)),
        out_of_orderness_(max_out_of_orderness) {}

  // A row of `partition` at `time` was taken.
  void Observe(size_t partition, Time time) {
    Partition& p = partitions_[partition];
    if (p.idle) SetIdle(partition, false);
    if (time > p.highest) {
      p.highest = time;
      if (partitions_.size() == 1) {
        Raise(time - out_of_orderness_);
      } else {
        Update();
      }
    }
  }
  size_t partitions() const { return partitions_.size(); }
  void SetIdle(size_t partition, bool idle);
  bool idle(size_t partition) const { return partitions_[partition].idle; }
  bool all_idle() const { return active_ == 0; }
  Time highest(size_t partition) const { return partitions_[partition].highest; }
  Time watermark() const { return watermark_; }
  struct Reading {
    Time watermark = kMinTime;
    bool idle = false;  // all of it
  };
  // Of the whole source, or of one partition alone. A partition that comes back from idleness may be far
  // behind its source.
  Reading Read(std::optional<size_t> partition) const {
    if (!partition) return {watermark_, all_idle()};
    const Partition& p = partitions_[*partition];
    return {p.highest == kMinTime ? kMinTime : p.highest - out_of_orderness_, p.idle};
  }

  // What a restart must know: also the watermark itself, which may be ahead of what its active partitions
  // say since one of them was idle.
  struct Saved {
    Time highest = kMinTime;    // of the partition
    Time watermark = kMinTime;  // of the source
    bool idle = false;          // the partition
    bool operator==(const Saved&) const = default;
  };
  Saved Save(size_t partition) const {
    return {partitions_[partition].highest, watermark_, partitions_[partition].idle};
  }
  void Restore(size_t partition, const Saved& saved);

 private:
  struct Partition {
    Time highest = kMinTime;
    bool idle = false;
  };
  void Raise(Time to) {
    if (to > watermark_) watermark_ = to;
  }
  void Update();

  std::vector<Partition> partitions_;
  int active_;  // of them, how many are not idle
  Duration out_of_orderness_;
  Time watermark_ = kMinTime;
};

// The least watermark of `sources` (indices into `all`); a source all of whose partitions are idle does not
// count unless all are, then the highest counts.
// `partition`: of that partition of each source alone.
Time LeastWatermark(std::span<const SourceWatermark> all, std::span<const uint32_t> sources,
                    std::optional<size_t> partition = std::nullopt);

}  // namespace freshet
