#include "engine/cli/line_output.h"

#include <cerrno>

#include <unistd.h>

#include "engine/cli/exit.h"

namespace freshet {

Status LineOutput::Add(std::string_view line) {
  constexpr size_t kAtOnce = 64 << 10;
  waiting_ += line;
  waiting_ += '\n';
  return waiting_.size() < kAtOnce ? Status() : Flush();
}

Status LineOutput::Flush() {
  size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t taken = write(STDOUT_FILENO, waiting_.data() + written, waiting_.size() - written);
    if (taken < 0 && errno != EINTR) return OutputFailure(errno);
    if (taken > 0) written += static_cast<size_t>(taken);
    // A write that waits for its reader takes less than all only where a signal ends it.
    if (written < waiting_.size() && stop_.requested()) return GivenUp(written);
  }
  waiting_.clear();
  return {};
}

Status LineOutput::GivenUp(size_t written) const {
  const bool whole = written == 0 || waiting_[written - 1] == '\n';
  if (whole) return {Code::kCancelled, "stopped by a signal"};
  return {
      Code::kExhausted,
      "stopped by a signal while the reader of standard output took nothing: the last line it was given is "
      "not whole"};
}

}  // namespace freshet
