#include "engine/base/logging.h"

#include <memory>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace freshet {
namespace {

spdlog::logger& Logger() {
  // Never destroyed: lines may come while the process ends.
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("freshet", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                                                                    spdlog::pattern_time_type::utc));
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

void WriteLog(LogLevel level, std::string_view message) {
  const spdlog::level::level_enum of = LevelOf(level);
  if (!Logger().should_log(of)) return;
  std::string line(message);
  for (char& c : line) {
    if (IsControl(c)) c = ' ';  // one line a message, whatever a library or a record put into it
  }
  Logger().log(of, spdlog::string_view_t(line.data(), line.size()));
}

void SetLogLevel(LogLevel least) {
  Logger().set_level(LevelOf(least));
}

}  // namespace freshet
