#pragma once
// A producer on Kafka, transactional or plain. One thread.
//
// Always: after a failed Send no Commit succeeds before Abort; a commit is reported as done only when the
// broker said so, and as not done only when it cannot have been.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/log/kafka/kafka_admin.h"
#include "engine/log/kafka/kafka_client.h"
#include "engine/log/kafka/kafka_consumer.h"
#include "engine/log/kafka/kafka_error.h"
#include "engine/log/log.h"

struct rd_kafka_topic_s;

namespace freshet {

class KafkaProducer final : public Producer {
 public:
  static Result<std::unique_ptr<KafkaProducer>> Open(std::shared_ptr<KafkaAdmin> admin,
                                                     const ProducerOptions& options);
  ~KafkaProducer() override;

  Status Init() override;
  Status Begin() override;
  Status Send(const OutgoingRecord& record) override;
  Status Commit(std::span<const PartitionOffset> positions, Consumer& consumer) override;
  Status Abort() override;
  Status Flush(Duration limit) override;

 private:
  KafkaProducer(std::shared_ptr<KafkaAdmin> admin, ProducerOptions options)
      : admin_(std::move(admin)), options_(std::move(options)) {}
  bool transactional() const { return !options_.transactional_id.empty(); }
  Status OpenClient();
  void CloseClient();
  Status TakeId(Duration limit);
  Status Replace(Duration limit);
  struct Topic {
    rd_kafka_topic_s* handle = nullptr;
    TopicInfo info;
  };
  Result<const Topic*> TopicOf(std::string_view name);
  Status Warm(const std::string& name, int32_t partitions, rd_kafka_topic_s* topic);
  Status SendTo(rd_kafka_topic_s* topic, const OutgoingRecord& record);
  Status Refuse(Status why);
  Status RefuseProduce(int code, const OutgoingRecord& record);
  void NoteUndelivered(int code, std::string_view topic, int32_t partition, std::string_view text);
  // kafka_commit.cc
  Status SendPositions(std::span<const PartitionOffset> positions, const GroupMetadata& metadata);
  Status EndTransaction();
  Status AbortInPlace(const Deadline& deadline);
  std::string Who() const;
  Status Refused(std::string_view what, const KafkaOutcome& outcome);
  Status WhyClosed();

  std::shared_ptr<KafkaAdmin> admin_;
  ProducerOptions options_;
  std::unique_ptr<KafkaClient> client_;
  std::map<std::string, Topic, std::less<>> topics_;
  bool ready_ = false;  // holds the transactional id
  bool open_ = false;   // a transaction is
  bool renew_ = false;  // to be replaced before the next transaction
  Status over_;         // once set (fenced, or a commit in doubt) only good to be destroyed
  Duration begun_ = 0;
  Status unfit_;  // why the open transaction (or what was sent since the last Flush) cannot be kept
  uint32_t sends_ = 0;
};

Result<std::unique_ptr<Producer>> OpenKafkaProducer(std::shared_ptr<KafkaAdmin> admin,
                                                    const ProducerOptions& options);

}  // namespace freshet
