#pragma once
// The commands' arguments as values. One thread.
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/cli/tx_events.h"

namespace freshet {

struct CommandLine {
  std::string command;
  std::vector<std::string> operands;  // FILE, TOPIC or KIND
  // Where the log is: exactly one for the commands that need it.
  std::string local;
  std::string brokers;
  // run
  std::string state;
  std::string instance;
  int lanes = 1;
  bool until_end = false;
  std::string summary;
  std::optional<Duration> progress_every;
  std::vector<std::string> set;
  // produce and consume
  std::string key;
  int partitions = 0;  // none given
  bool raw = false;
  bool from_beginning = false;
  bool envelope = false;
  // generate
  int64_t events = 1'000'000;
  TxOptions tx;
  bool help = false;
};

// kInvalid with what is wrong and what to do.
Result<CommandLine> ParseCommandLine(int argc, const char* const* argv);
// Of one command, or of all where `command` is none.
std::string HelpText(const std::string& command);

}  // namespace freshet
