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

Time LeastWatermark(std::span<const SourceWatermark> all, std::span<const uint32_t> sources,
                    std::optional<size_t> partition) {
  Time least = kMaxTime;
  Time highest = kMinTime;
  bool any_active = false;
  for (const uint32_t source : sources) {
    const SourceWatermark::Reading reading = all[source].Read(partition);
    highest = std::max(highest, reading.watermark);
    if (reading.idle) continue;
    any_active = true;
    least = std::min(least, reading.watermark);
  }
  return any_active ? least : highest;
}

}  // namespace freshet
