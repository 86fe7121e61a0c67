#include "engine/cli/exit.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace freshet {

int Fail(const Status& status) {
  Refuse(status);
  return status.code() == Code::kUnreachable ? kNoLog : kFailed;
}

int Refuse(const Status& status) {
  std::fprintf(stderr, "freshet: %s\n", status.message().c_str());
  return kUsage;
}

Status FlushOutput() {
  if (std::ferror(stdout) == 0 && std::fflush(stdout) == 0) return {};
  if (errno == EPIPE) return {Code::kCancelled, "standard output was closed"};
  return {Code::kExhausted, "cannot write to standard output (" + std::string(std::strerror(errno)) +
                                "): it lacks what was printed last; mend that and try again"};
}

int Printed() {
  const Status flushed = FlushOutput();
  return flushed.ok() || flushed.code() == Code::kCancelled ? kDone : Fail(flushed);
}

}  // namespace freshet
