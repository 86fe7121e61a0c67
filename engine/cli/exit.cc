#include "engine/cli/exit.h"

#include <cstdio>

namespace freshet {

int Fail(const Status& status) {
  std::fprintf(stderr, "freshet: %s\n", status.message().c_str());
  return status.code() == Code::kUnreachable ? kNoLog : kFailed;
}

}  // namespace freshet
