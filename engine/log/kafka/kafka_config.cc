#include "engine/log/kafka/kafka_config.h"

#include <array>
#include <string_view>

#include <librdkafka/rdkafka.h>

namespace freshet {
namespace {

struct Denied {
  std::string_view key;
  std::string_view why;
};

constexpr std::string_view kOwn = "it is set by the job and the command line";
constexpr std::string_view kExact = "exactly-once depends on it";
constexpr std::string_view kCode = "it would load code into this process, or run a command";

constexpr std::array kDenied = {
    Denied{"bootstrap.servers", "brokers are given by --brokers"},
    Denied{"metadata.broker.list", "brokers are given by --brokers"},
    Denied{"client.id", kOwn},
    Denied{"group.id", kOwn},
    Denied{"group.instance.id", "it is given by --instance"},
    Denied{"session.timeout.ms", kOwn},
    Denied{"transactional.id", kOwn},
    Denied{"transaction.timeout.ms", "it follows from the job's commit interval"},
    Denied{"isolation.level", kExact},
    Denied{"enable.idempotence", kExact},
    Denied{"enable.gapless.guarantee", kExact},
    Denied{"acks", kExact},
    Denied{"request.required.acks", kExact},
    Denied{"retries", kExact},
    Denied{"message.send.max.retries", kExact},
    Denied{"max.in.flight", kExact},
    Denied{"max.in.flight.requests.per.connection", kExact},
    Denied{"message.timeout.ms", kExact},
    Denied{"delivery.timeout.ms", kExact},
    Denied{"queuing.strategy", kExact},
    Denied{"enable.auto.commit", kExact},
    Denied{"auto.commit.enable", kExact},
    Denied{"auto.commit.interval.ms", kExact},
    Denied{"enable.auto.offset.store", kExact},
    Denied{"offset.store.method", kExact},
    Denied{"offset.store.path", kExact},
    Denied{"auto.offset.reset", kExact},
    Denied{"enable.partition.eof", kExact},
    Denied{"partition.assignment.strategy", kExact},
    Denied{"group.protocol.type", kExact},
    Denied{"allow.auto.create.topics", "a topic that is missing is told, never created by the way"},
    Denied{"queue.buffering.max.kbytes", "it follows from the job's `memory:`"},
    Denied{"queue.buffering.max.messages", "it follows from the job's `memory:`"},
    Denied{"queued.max.messages.kbytes", "it follows from the job's `memory:`"},
    Denied{"queued.min.messages", "it follows from the job's `memory:`"},
    Denied{"message.max.bytes", "it follows from the topics' max.message.bytes"},
    Denied{"plugin.library.paths", kCode},
    Denied{"ssl.engine.location", kCode},
    Denied{"sasl.kerberos.kinit.cmd", kCode},
    Denied{"test.mock.num.brokers", "it replaces the brokers by an imitation"},
    Denied{"opaque", "it is no setting but a pointer"},
    Denied{"default_topic_conf", "it is no setting but a pointer"},
};

bool IsSecret(std::string_view key) {
  return key.find("password") != std::string_view::npos || key.find("secret") != std::string_view::npos ||
         key.find(".pem") != std::string_view::npos || key.find("oauthbearer") != std::string_view::npos;
}

Status Set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value,
           const std::vector<std::string>& secrets) {
  std::array<char, 512> why{};
  const auto result = rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why.data(), why.size());
  if (result == RD_KAFKA_CONF_OK) return {};
  if (result == RD_KAFKA_CONF_UNKNOWN) {
    return Invalid("Kafka setting `" + key + "` is unknown; librdkafka's CONFIGURATION.md lists them all");
  }
  return Invalid("Kafka setting `" + key + "` is refused: " +
                 (IsSecret(key) ? std::string("the value has the wrong form") : Hide(why.data(), secrets)));
}

}  // namespace

std::string Hide(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::string_view kMark = "***";
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + kMark.size()))
      text.replace(at, secret.size(), kMark);
  }
  return text;
}

Status CheckUserSettings(const KafkaSettings& settings, const std::vector<std::string>& secrets) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::string faults;
  const auto add = [&](const std::string& fault) { faults += (faults.empty() ? "" : "\n") + fault; };
  for (const auto& [key, value] : settings) {
    bool denied = key.ends_with("_cb");
    if (denied) add("Kafka setting `" + key + "` may not be set: it is no setting but a function");
    for (const Denied& d : kDenied) {
      if (d.key != key) continue;
      denied = true;
      add("Kafka setting `" + key + "` may not be set: " + std::string(d.why) + "; remove it");
    }
    if (denied) continue;
    if (Status s = Set(conf, key, value, secrets); !s.ok()) add(s.message());
  }
  rd_kafka_conf_destroy(conf);
  return faults.empty() ? Status() : Invalid(faults);
}

Result<rd_kafka_conf_s*> MakeConf(const KafkaConfig& config) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const KafkaSettings* part : {&config.defaults, &config.user, &config.fixed}) {
    for (const auto& [key, value] : *part) {
      if (Status s = Set(conf, key, value, config.secrets); !s.ok()) {
        rd_kafka_conf_destroy(conf);
        return s;
      }
    }
  }
  return conf;
}

}  // namespace freshet
