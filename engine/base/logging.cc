#include "engine/base/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace freshet {

namespace {

spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made =
        new spdlog::logger("freshet", std::make_shared<spdlog::sinks::stderr_sink_mt>());  // never freed:
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                      spdlog::pattern_time_type::utc);  // lines may come at exit
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
  return spdlog::level::info;
}

}  // namespace

void WriteLog(LogLevel level, std::string_view message) {
  Logger().log(LevelOf(level), spdlog::string_view_t(message.data(), message.size()));
}

void SetLogLevel(LogLevel least) {
  Logger().set_level(LevelOf(least));
}

}  // namespace freshet
