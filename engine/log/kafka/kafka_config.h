#pragma once
// A client's configuration: defaults that the user may change, the user's settings, and what must hold
// whatever the user says. Pure, any thread.
#include <string>
#include <utility>
#include <vector>

#include "engine/base/status.h"

struct rd_kafka_conf_s;

namespace freshet {

using KafkaSettings = std::vector<std::pair<std::string, std::string>>;

// Refuses settings that exactly-once, the options of the log or the safety of the process hang on, and
// unknown ones.
Status CheckUserSettings(const KafkaSettings& settings, const std::vector<std::string>& secrets);

struct KafkaConfig {
  KafkaSettings defaults;
  KafkaSettings user;
  KafkaSettings fixed;
  std::vector<std::string> secrets;
};
// The caller frees it, or gives it to rd_kafka_new.
Result<rd_kafka_conf_s*> MakeConf(const KafkaConfig& config);

// `text`, with a mark wherever it showed one of `secrets`. librdkafka quotes what it refuses or cannot use.
std::string Hide(std::string text, const std::vector<std::string>& secrets);

}  // namespace freshet
