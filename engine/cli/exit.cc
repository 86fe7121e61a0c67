#include "engine/cli/exit.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace freshet {

namespace {

void Say(const Status& status) {
  std::fprintf(stderr, "freshet: %s\n", status.message().c_str());
}

}  // namespace

int Fail(const Status& status) {
  Say(status);
  return status.code() == Code::kUnreachable ? kNoLog : kFailed;
}

int Refuse(const Status& status) {
  Say(status);
  return kUsage;
}

Status OutputFailure(int error) {
  if (error == EPIPE) return {Code::kCancelled, "standard output was closed"};
  return {Code::kExhausted, "cannot write to standard output (" + std::string(std::strerror(error)) +
                                "): it lacks what was printed last; mend that and try again"};
}

int Printed() {
  if (std::ferror(stdout) == 0 && std::fflush(stdout) == 0) return kDone;
  const Status failure = OutputFailure(errno);
  return failure.code() == Code::kCancelled ? kDone : Fail(failure);
}

}  // namespace freshet
