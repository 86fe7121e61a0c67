#include "engine/runtime/watermarks.h"

#include <algorithm>

namespace freshet {

void SourceWatermark::SetIdle(size_t partition, bool idle) {
  if (partitions_[partition].idle == idle) return;
  partitions_[partition].idle = idle;
  active_ += idle ? -1 : 1;
  Update();
}

void SourceWatermark::Restore(size_t partition, const Saved& saved) {
  active_ += static_cast<int>(partitions_[partition].idle) - static_cast<int>(saved.idle);
  partitions_[partition] = {saved.highest, saved.idle};
  Raise(saved.watermark);
}

void SourceWatermark::Update() {
  Time least = kMaxTime;
  Time highest = kMinTime;
  bool any_active = false;
  for (const Partition& p : partitions_) {
    highest = std::max(highest, p.highest);
    if (p.idle) continue;
    any_active = true;
    least = std::min(least, p.highest);
  }
  const Time reached = any_active ? least : highest;
  if (reached != kMinTime) Raise(reached - out_of_orderness_);
}

namespace {

// The least of those that are active, else the highest of all.
class Least {
 public:
  void Take(Time watermark, bool idle) {
    highest_ = std::max(highest_, watermark);
    if (idle) return;
    any_active_ = true;
    least_ = std::min(least_, watermark);
  }
  Time time() const { return any_active_ ? least_ : highest_; }

 private:
  Time least_ = kMaxTime;
  Time highest_ = kMinTime;
  bool any_active_ = false;
};

}  // namespace

Time LeastWatermark(std::span<const SourceWatermark> all, std::span<const uint32_t> sources) {
  Least least;
  for (const uint32_t source : sources)
    least.Take(all[source].watermark(), all[source].all_idle());
  return least.time();
}

Time LeastWatermark(std::span<const SourceWatermark> all, std::span<const uint32_t> sources,
                    size_t partition) {
  Least least;
  for (const uint32_t source : sources)
    least.Take(all[source].watermark(partition), all[source].idle(partition));
  return least.time();
}

}  // namespace freshet
