#pragma once
// The log a command line names. One thread.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/command_line.h"
#include "engine/log/log.h"

namespace freshet {

struct LogAccess {
  bool read_only = false;  // the embedded log beside a process that writes
  int64_t memory_bytes = 32 << 20;
  std::vector<std::pair<std::string, std::string>> kafka_settings;
  std::vector<std::string> secrets;  // values that no message may show
};

Result<std::unique_ptr<Log>> OpenLog(const CommandLine& line, const LogAccess& access);

}  // namespace freshet
