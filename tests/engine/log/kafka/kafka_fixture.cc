#include "tests/engine/log/kafka/kafka_fixture.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <librdkafka/rdkafka.h>

#include "engine/log/kafka/kafka_client.h"

namespace freshet {
namespace {

// Ends with the program's tests, from the thread that started it.
class BrokerEnvironment final : public testing::Environment {
 public:
  void SetUp() override {
    Result<std::unique_ptr<KafkaBroker>> made = KafkaBroker::Create(
        {.properties = {"log.cleaner.backoff.ms=100", "log.cleaner.threads=1",
                        "group.min.session.timeout.ms=1000",
                        "transaction.abort.timed.out.transaction.cleanup.interval.ms=500"},
         .proxy_port = 0});
    if (!made.ok()) {
      std::cerr << made.status().message() << "\n";
      std::exit(1);  // no test makes sense without it
    }
    broker_ = std::move(*made);
  }
  void TearDown() override { broker_.reset(); }
  KafkaBroker& broker() { return *broker_; }

 private:
  std::unique_ptr<KafkaBroker> broker_;
};

auto* const environment =
    static_cast<BrokerEnvironment*>(testing::AddGlobalTestEnvironment(new BrokerEnvironment()));

// Makes every compacted topic's segments small, since only closed ones are compacted.
class SmallSegments final : public Log {
 public:
  SmallSegments(std::unique_ptr<Log> log, KafkaOptions options)
      : log_(std::move(log)), options_(std::move(options)) {}
  std::string Describe() const override { return log_->Describe(); }
  Result<std::vector<std::string>> Topics() override { return log_->Topics(); }
  Result<std::optional<TopicInfo>> Find(std::string_view topic) override { return log_->Find(topic); }
  Status Create(std::string_view topic, const TopicSettings& settings) override {
    const Status status = log_->Create(topic, settings);
    if (status.ok() && settings.compacted) {
      AlterTopic(
          options_, std::string(topic),
          {{"cleanup.policy", "compact"}, {"segment.bytes", "16384"}, {"min.cleanable.dirty.ratio", "0.01"}});
    }
    return status;
  }
  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) override {
    return log_->Range(id, isolation);
  }
  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    return log_->OpenConsumer(options);
  }
  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    return log_->OpenProducer(options);
  }

 private:
  std::unique_ptr<Log> log_;
  KafkaOptions options_;
};

}  // namespace

KafkaBroker& SharedBroker() {
  return environment->broker();
}

KafkaFixture::KafkaFixture(KafkaSettings settings) : settings_(std::move(settings)) {
  static int fixtures = 0;
  prefix_ = "case" + std::to_string(++fixtures) + ".";
  log_ = Open();
}

KafkaOptions KafkaFixture::Options() const {
  KafkaOptions options;
  options.brokers = SharedBroker().bootstrap();
  options.settings = settings_;
  return options;
}

std::unique_ptr<Log> KafkaFixture::Open() const {
  return std::make_unique<SmallSegments>(Must(OpenKafkaLog(Options())), Options());
}

void KafkaFixture::Reopen() {
  log_.reset();
  log_ = Open();
}

std::string KafkaFixture::Name(std::string_view base) {
  return prefix_ + std::string(base) + std::to_string(++names_);
}

// The broker compacts by itself; done when every partition has lost more than half of its records.
void KafkaFixture::Compact(const std::string& topic) {
  LogSession session(*this);
  const int32_t partitions = Must(log_->Find(topic))->partitions;
  const auto start = std::chrono::steady_clock::now();
  for (int32_t partition = 0; partition < partitions; ++partition) {
    const OffsetRange range = session.Range(topic, partition);
    const auto most = static_cast<size_t>(range.end - range.begin) / 2;
    while (session.ReadAll(topic, partition).size() >= most) {
      if (std::chrono::steady_clock::now() - start > std::chrono::microseconds(patience())) {
        throw std::runtime_error(topic + " is not compacted: " + SharedBroker().Log());
      }
    }
  }
}

// The cases poll meanwhile, and that takes the time there is to pass.
void KafkaFixture::Advance(Duration) {}

namespace {

using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, decltype(&rd_kafka_ConfigResource_destroy)>;
using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

Resource TopicResource(const std::string& topic) {
  return {rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()),
          rd_kafka_ConfigResource_destroy};
}

Event Answer(rd_kafka_queue_t* queue) {
  Event event(rd_kafka_queue_poll(queue, 30'000), rd_kafka_event_destroy);
  if (event == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("the broker does not answer: " + SharedBroker().Log());
  return event;
}

bool HasSettings(rd_kafka_t* client, rd_kafka_queue_t* queue, const std::string& topic,
                 const KafkaSettings& settings) {
  const Resource asked = TopicResource(topic);
  rd_kafka_ConfigResource_t* one = asked.get();
  rd_kafka_DescribeConfigs(client, &one, 1, nullptr, queue);
  const Event event = Answer(queue);
  size_t count = 0;
  const rd_kafka_ConfigResource_t** told =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(told[0], &count);
  return std::all_of(settings.begin(), settings.end(), [&](const auto& setting) {
    return std::any_of(entries, entries + count, [&](const rd_kafka_ConfigEntry_t* entry) {
      const char* value = rd_kafka_ConfigEntry_value(entry);
      return setting.first == rd_kafka_ConfigEntry_name(entry) && value != nullptr && setting.second == value;
    });
  });
}

}  // namespace

// The controller answers before the broker has heard of it.
void AlterTopic(const KafkaOptions& options, const std::string& topic, const KafkaSettings& settings) {
  auto client = Must(KafkaClient::Open(KafkaClient::Kind::kConsumer, "alterer", options, {}, {}, {}));
  const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(
      rd_kafka_queue_new(client->handle()), rd_kafka_queue_destroy);
  const Resource resource = TopicResource(topic);
  for (const auto& [key, value] : settings)
    rd_kafka_ConfigResource_set_config(resource.get(), key.c_str(), value.c_str());
  rd_kafka_ConfigResource_t* one = resource.get();
  rd_kafka_AlterConfigs(client->handle(), &one, 1, nullptr, queue.get());
  Answer(queue.get());
  while (!HasSettings(client->handle(), queue.get(), topic, settings)) {
  }
}

std::vector<std::string> KcatValues(const std::string& topic) {
  const TempDir dir;
  auto process =
      Process::Start({.command = {"kcat", "-C", "-b", SharedBroker().bootstrap(), "-t", topic, "-o",
                                  "beginning", "-e", "-q", "-X", "isolation.level=read_committed"},
                      .output = dir.File("out"),
                      .errors = dir.File("err"),
                      .environment = {}});
  Must(process.status());
  EXPECT_EQ(process->Wait(60 * kSecond), 0) << ReadFile(dir.File("err"));
  std::vector<std::string> values;
  std::istringstream lines(ReadFile(dir.File("out")));
  for (std::string line; std::getline(lines, line);)
    values.push_back(line);
  return values;
}

}  // namespace freshet
