#pragma once
// The one broker that all tests of this binary share, and the log on it. One thread.
#include <memory>
#include <string>
#include <vector>

#include "engine/log/kafka/kafka_config.h"
#include "engine/log/kafka/kafka_log.h"
#include "engine/log/log.h"
#include "tests/harness/kafka_broker.h"
#include "tests/harness/log_suite.h"

namespace freshet {

// Started with the first test, stopped after the last. A test that kills it starts it again.
KafkaBroker& SharedBroker();

class KafkaFixture : public LogFixture {
 public:
  explicit KafkaFixture(KafkaSettings settings = {});
  Log& log() override { return *log_; }
  void Reopen() override;
  std::string Name(std::string_view base) override;
  void Compact(const std::string& topic) override;
  void Advance(Duration by) override;
  // librdkafka keeps a member alive by itself for max.poll.interval.ms; a test of its own shortens that.
  bool loses_silent_members() const override { return false; }

  std::unique_ptr<Log> Open() const;  // a further log on the same broker, such as another process has
  KafkaOptions Options() const;

 private:
  KafkaSettings settings_;
  std::string prefix_;
  int names_ = 0;
  std::unique_ptr<Log> log_;
};

// Replaces the topic's own settings.
void AlterTopic(const KafkaOptions& options, const std::string& topic, const KafkaSettings& settings);

// What an independent client reads of a topic: one value a line, committed records only.
std::vector<std::string> KcatValues(const std::string& topic);

}  // namespace freshet
