#include "tests/jobs/unsynced_log.h"

#include <utility>

#include <gtest/gtest.h>

#include "engine/log/local/local_log.h"

namespace freshet {

std::unique_ptr<Log> OpenUnsyncedLog(const TempDir& dir) {
  LocalLogOptions options;
  options.sync = false;
  Result<std::unique_ptr<Log>> log = OpenLocalLog(dir.File("log"), options);
  EXPECT_TRUE(log.ok()) << log.status().message();
  return log.ok() ? std::move(*log) : nullptr;
}

}  // namespace freshet
