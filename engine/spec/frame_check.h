#pragma once
// What must hold in the frame of a job file beyond single keys: names, ranges, what belongs together. Inside
// engine/spec only. One thread.
#include "engine/spec/job.h"

namespace freshet {

// Reports everything and goes on; names the topics that were not named. `root`: what `frame` was read from.
void CheckFrame(const Node& root, FrameSpec& frame, const Positions& positions, Diagnostics& diagnostics);

}  // namespace freshet
