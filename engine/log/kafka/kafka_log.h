#pragma once
// The log on Apache Kafka (0.11 or later; tested with 3.9), by librdkafka. Any thread, as log.h has it.
// Consumers and producers may outlive the log that opened them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/log/log.h"

namespace freshet {

struct KafkaOptions {
  std::string brokers;  // "host:port[,host:port...]"
  // librdkafka's own settings (security.protocol, sasl.*, ssl.*, linger.ms, ...), refused where exactly-once
  // or the process's safety hang on them.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<std::string> secrets;       // values that no message may show
  std::string client_id = "freshet";      // what brokers see in their logs and quotas
  Duration connect_limit = 10 * kSecond;  // how long the first answer may take
  Duration patience = 60 * kSecond;       // how long later requests are repeated while no broker answers
};

// kInvalid: a setting is unknown, malformed or not the user's to make. kUnreachable: no broker answers.
Result<std::unique_ptr<Log>> OpenKafkaLog(const KafkaOptions& options);

}  // namespace freshet
