#pragma once
// The embedded log for tests that do not cut the power: nothing waits for the disk. Any thread.
#include <memory>

#include "engine/log/log.h"
#include "tests/harness/temp_dir.h"

namespace freshet {

// The log in `log` of `dir`, made where missing; a failure of the running test, and null, where it does not
// open.
std::unique_ptr<Log> OpenUnsyncedLog(const TempDir& dir);

}  // namespace freshet
