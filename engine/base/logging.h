#pragma once
// The engine's own log lines, to standard error: one line a message, with time and level. Any thread.
#include <string_view>

namespace freshet {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

void WriteLog(LogLevel level, std::string_view message);
void SetLogLevel(LogLevel least);
inline void LogInfo(std::string_view message) {
  WriteLog(LogLevel::kInfo, message);
}
inline void LogWarning(std::string_view message) {
  WriteLog(LogLevel::kWarning, message);
}
inline void LogError(std::string_view message) {
  WriteLog(LogLevel::kError, message);
}

}  // namespace freshet
