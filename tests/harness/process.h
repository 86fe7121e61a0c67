#pragma once
// A child process of a test. It dies with the thread that started it, whatever way the test ends, so start it
// from the main thread. One thread at a time. Always holds: after the destructor the child is gone and
// reaped.
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace freshet {

class Process {
 public:
  struct Options {
    std::vector<std::string> command;      // the program, looked up in PATH, and its arguments
    std::string output;                    // file that standard output and standard error are appended to
    std::string errors;                    // file for standard error alone; empty: with the output
    std::vector<std::string> environment;  // NAME=value, added to ours
  };
  static Result<Process> Start(const Options& options);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // SIGKILL, if it still runs

  pid_t pid() const { return pid_; }
  bool Running() { return !Wait(0).has_value(); }
  void Signal(int signal);  // nothing once it has ended
  void Kill();              // SIGKILL, and waits for the end
  // The exit code once it has ended, 128 + the signal if one ended it; nothing if it still runs after
  // `limit`.
  std::optional<int> Wait(Duration limit);

 private:
  Process(pid_t pid, int handle) : pid_(pid), handle_(handle) {}
  pid_t pid_ = -1;
  int handle_ = -1;  // a pidfd: readable when the child has ended
  std::optional<int> code_;
};

}  // namespace freshet
