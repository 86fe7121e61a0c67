#pragma once
// Exit codes of every command, and how an error becomes one. One thread.
#include "engine/base/status.h"

namespace freshet {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;  // while running
inline constexpr int kUsage = 2;   // bad command line or job file
inline constexpr int kNoLog = 3;   // cannot reach the log

// Each prints "freshet: message" to standard error and returns the code: of what failed, or kUsage.
int Fail(const Status& status);
int Refuse(const Status& status);

// Why a write to standard output failed with `error` (an errno): kCancelled where a reader that has seen
// enough (`| head`) closed the pipe; any other failure loses what was printed.
Status OutputFailure(int error);
// The end of a command that printed its answer.
int Printed();

}  // namespace freshet
