#include "tests/bench/must.h"

#include <cstdio>
#include <cstdlib>

namespace freshet {

void Must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::abort();
}

}  // namespace freshet
