#pragma once
// What the lane knows about event time while it works on one batch or timer: shared by the contexts of its
// operators. Written by the lane between calls, read by operators through OperatorContext. One thread.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/time.h"

namespace freshet {

struct RowClock {
  // Before each row of the batch, the watermark of its source, or of its partition where these are apart.
  std::vector<Time> before;
  struct View {               // by clock (Topology::ClockOf)
    Time reached = kMinTime;  // the tasks' watermark when the batch began
    Time others = kMaxTime;   // the least watermark of the other active sources upstream
  };
  std::vector<View> views;
  bool in_timer = false;
  Time timer_time = 0;

  Time WatermarkBefore(uint32_t clock, uint32_t ordinal) const {
    if (in_timer) return timer_time;
    const View& view = views[clock];
    const Time least = before[ordinal] < view.others ? before[ordinal] : view.others;
    return least > view.reached ? least : view.reached;
  }
};

}  // namespace freshet
