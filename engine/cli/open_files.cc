#include "engine/cli/open_files.h"

#include <sys/resource.h>

namespace freshet {

void AllowOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // refused: the limit that there is holds, and who exceeds it says so
}

}  // namespace freshet
