#pragma once
// How far a run is: one line that is redrawn on a terminal, a plain line now and then in a pipe. One
// thread.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/runtime/lane.h"

namespace freshet {

// The columns of a terminal, asked for anew at each showing, since windows change; empty: no terminal.
using TerminalColumns = std::function<size_t()>;
TerminalColumns ColumnsOfStandardError();

class ProgressLine {
 public:
  // `every`: the least time between two showings; none: what suits a terminal or a pipe.
  ProgressLine(const Clock& clock, TerminalColumns columns, std::optional<Duration> every = {});
  void Show(const LaneProgress& progress);
  // Shows the latest progress unless it stands there already, and ends the line, so that what is printed next
  // begins a new one.
  void Finish();

 private:
  std::string Text() const;
  void Redraw() const;

  const Clock& clock_;
  TerminalColumns columns_;
  Duration every_;
  Duration start_;
  Duration last_ = 0;
  LaneProgress latest_;
  std::optional<LaneProgress> shown_;
};

}  // namespace freshet
