#include "engine/cli/open_log.h"

#include "engine/log/kafka/kafka_log.h"
#include "engine/log/local/local_log.h"

namespace freshet {

Result<std::unique_ptr<Log>> OpenLog(const CommandLine& line, const LogAccess& access) {
  if (!line.brokers.empty()) return OpenKafkaLog({line.brokers, access.kafka_settings, access.secrets});
  LocalLogOptions options;
  options.read_only = access.read_only;
  options.memory_bytes = access.memory_bytes;
  return OpenLocalLog(line.local + "/log", options);
}

}  // namespace freshet
