#pragma once
// How far a run is: one line that is redrawn on a terminal, a plain line now and then in a pipe. One
// thread.
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/runtime/lane.h"

namespace freshet {

class ProgressLine {
 public:
  // `every`: the least time between two showings; none: what suits a terminal or a pipe.
  ProgressLine(const Clock& clock, bool terminal, std::optional<Duration> every = {});
  void Show(const LaneProgress& progress);
  // Ends the line, so that what is printed next begins a new one.
  void Finish();

 private:
  std::string Text(const LaneProgress& progress) const;
  const Clock& clock_;
  bool terminal_;
  Duration every_;
  Duration start_;
  Duration last_ = 0;
  bool shown_ = false;
  LaneProgress latest_;
};

}  // namespace freshet
