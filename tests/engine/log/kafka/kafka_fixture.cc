#include "tests/engine/log/kafka/kafka_fixture.h"

#include <chrono>
#include <cstdlib>
#include <iostream>
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

void AlterTopic(const KafkaOptions& options, const std::string& topic, const KafkaSettings& settings) {
  auto client = Must(KafkaClient::Open(KafkaClient::Kind::kConsumer, "alterer", options, {}, {}, {}));
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client->handle());
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  for (const auto& [key, value] : settings)
    rd_kafka_ConfigResource_set_config(resource, key.c_str(), value.c_str());
  rd_kafka_AlterConfigs(client->handle(), &resource, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  EXPECT_TRUE(event != nullptr && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(event);
  rd_kafka_ConfigResource_destroy(resource);
  rd_kafka_queue_destroy(queue);
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
