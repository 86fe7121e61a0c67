#pragma once
// How far a run is: one line that is redrawn on a terminal, a plain line every few seconds in a pipe. One
// thread.
#include <cstdint>
#include <string>

#include "engine/base/clock.h"
#include "engine/runtime/lane.h"

namespace freshet {

class ProgressLine {
 public:
  ProgressLine(const Clock& clock, bool terminal)
      : clock_(clock), terminal_(terminal), start_(clock.Steady()) {}
  void Show(const LaneProgress& progress);
  // Ends the line, so that what is printed next begins a new one.
  void Finish();

 private:
  std::string Text(const LaneProgress& progress) const;
  const Clock& clock_;
  bool terminal_;
  Duration start_;
  Duration last_ = 0;
  bool shown_ = false;
  LaneProgress latest_;
};

}  // namespace freshet
