#pragma once
// What the lane knows about event time while it works on one batch or timer: shared by the contexts of its
// operators. Written by the lane between calls, read by operators through OperatorContext. One thread.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/time.h"

namespace freshet {

struct RowClock {
  // Before each row of the batch, the watermark of its source and that of its partition alone.
  struct Before {
    Time source = kMinTime;
    Time partition = kMinTime;
  };
  std::vector<Before> before;
  struct View {               // by clock (Topology::ClockOf)
    Time reached = kMinTime;  // the tasks' watermark when the batch began
    Time others = kMaxTime;   // the least watermark of the other active sources upstream
  };
  std::vector<View> views;
  bool in_timer = false;
  Time timer_time = 0;

  // `by_partition`: the tasks' rows come from one partition of each source.
  Time WatermarkBefore(uint32_t clock, bool by_partition, uint32_t ordinal) const {
    if (in_timer) return timer_time;
    const View& view = views[clock];
    const Time own = by_partition ? before[ordinal].partition : before[ordinal].source;
    const Time least = own < view.others ? own : view.others;
    return least > view.reached ? least : view.reached;
  }
};

}  // namespace freshet
