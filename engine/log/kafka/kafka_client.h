#pragma once
// One instance of librdkafka: its configuration, its log lines as ours, and an end that cannot hang the
// process. The handle may be used from any thread; the hooks are called by the thread that polls.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/log/kafka/kafka_config.h"
#include "engine/log/kafka/kafka_log.h"

struct rd_kafka_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;

namespace freshet {

Duration SteadyNow();

// A point in time after which nobody waits. Network time, so no injected clock.
class Deadline {
 public:
  explicit Deadline(Duration limit) : end_(limit == kMaxTime ? kMaxTime : SteadyNow() + limit) {}
  Duration left() const;
  bool passed() const { return left() <= 0; }
  int left_ms(Duration at_most = 3600 * kSecond) const;  // rounded up

 private:
  Duration end_;
};

class KafkaClient {
 public:
  struct Hooks {
    std::function<void(int code, const rd_kafka_topic_partition_list_s* partitions)> rebalance;
    std::function<void(const rd_kafka_message_s& message)> undelivered;
  };
  enum class Kind : uint8_t { kConsumer, kProducer };

  // `name` tells the instances of one process apart in log lines.
  static Result<std::unique_ptr<KafkaClient>> Open(Kind kind, const std::string& name,
                                                   const KafkaOptions& options, KafkaSettings defaults,
                                                   KafkaSettings fixed, Hooks hooks);
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_s* handle() const { return handle_; }
  // What the client last said about a connection that failed; empty where none did.
  std::string last_failure() const;
  // Why the instance is of no more use; null where it is.
  std::optional<std::string> fatal() const;
  // Frees the instance, after up to `flush` for what is still to be sent. After `limit` a thread is left
  // behind with it.
  void Destroy(Duration limit, Duration flush = 0);

  struct State;  // what librdkafka's threads see; lives as long as the instance

 private:
  KafkaClient() = default;
  rd_kafka_s* handle_ = nullptr;
  std::shared_ptr<State> state_;
};

}  // namespace freshet
