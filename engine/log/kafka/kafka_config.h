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
Status CheckUserSettings(const KafkaSettings& settings);

struct KafkaConfig {
  KafkaSettings defaults;
  KafkaSettings user;
  KafkaSettings fixed;
};
// The caller frees it, or gives it to rd_kafka_new.
Result<rd_kafka_conf_s*> MakeConf(const KafkaConfig& config);

}  // namespace freshet
