#pragma once
// Exit codes of every command, and how an error becomes one. One thread.
#include "engine/base/status.h"

namespace freshet {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;  // while running
inline constexpr int kUsage = 2;   // bad command line or job file
inline constexpr int kNoLog = 3;   // cannot reach the log

// Prints "freshet: message" to standard error and returns the code.
int Fail(const Status& status);

}  // namespace freshet
