#include "engine/log/kafka/kafka_log.h"

#include "engine/log/kafka/kafka_admin.h"
#include "engine/log/kafka/kafka_consumer.h"
#include "engine/log/kafka/kafka_producer.h"

namespace freshet {
namespace {

class KafkaLog final : public Log {
 public:
  explicit KafkaLog(std::shared_ptr<KafkaAdmin> admin) : admin_(std::move(admin)) {}

  std::string Describe() const override { return "the Kafka broker " + admin_->options().brokers; }
  Result<std::vector<std::string>> Topics() override { return admin_->Topics(); }
  Result<std::optional<TopicInfo>> Find(std::string_view topic) override {
    return admin_->Find(std::string(topic));
  }
  Status Create(std::string_view topic, const TopicSettings& settings) override {
    return admin_->Create(std::string(topic), settings);
  }
  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) override {
    return admin_->Range(id, isolation);
  }
  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    return OpenKafkaConsumer(admin_, options);
  }
  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    return OpenKafkaProducer(admin_, options);
  }

 private:
  std::shared_ptr<KafkaAdmin> admin_;
};

}  // namespace

Result<std::unique_ptr<Log>> OpenKafkaLog(const KafkaOptions& options) {
  if (options.brokers.empty()) return Invalid("no Kafka broker is named; give --brokers HOST:PORT");
  if (Status s = CheckUserSettings(options.settings, options.secrets); !s.ok()) return s;
  Result<std::unique_ptr<KafkaAdmin>> admin = KafkaAdmin::Open(options);
  if (!admin.ok()) return admin.status();
  return std::unique_ptr<Log>(std::make_unique<KafkaLog>(std::shared_ptr<KafkaAdmin>(std::move(*admin))));
}

}  // namespace freshet
