#pragma once
// Standard output for lines that go on until the command is stopped: what it has written ends with a whole
// line, or it says that it does not. One thread.
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/runtime/lane.h"

namespace freshet {

class LineOutput {
 public:
  explicit LineOutput(const StopSignal& stop) : stop_(stop) {}

  // Both: kCancelled where nobody wants more: its reader closed the pipe, or the signal came while the reader
  // took nothing; any other failure lost lines, or tore one.
  Status Add(std::string_view line);
  Status Flush();

 private:
  Status GivenUp(size_t written) const;
  const StopSignal& stop_;
  std::string waiting_;
};

}  // namespace freshet
