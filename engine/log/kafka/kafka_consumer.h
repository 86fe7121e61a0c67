#pragma once
// A consumer on Kafka. Its group subscribes to the placement topic only; data partitions are assigned beside
// it, each with a queue of its own. One thread, but for Wake.
//
// Always: the rebalance handler records and answers, nothing else; data partitions are never paused.
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine/log/kafka/kafka_admin.h"
#include "engine/log/kafka/kafka_client.h"
#include "engine/log/kafka/kafka_reader.h"
#include "engine/log/kafka/kafka_rouser.h"
#include "engine/log/log.h"

struct rd_kafka_consumer_group_metadata_s;
struct rd_kafka_queue_s;

namespace freshet {

struct GroupMetadataDeleter {
  void operator()(rd_kafka_consumer_group_metadata_s* metadata) const;
};
using GroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_s, GroupMetadataDeleter>;

struct Membership {
  int32_t generation = -1;
  std::string member;
};
// Which member of which generation the metadata speaks for.
Result<Membership> ReadMembership(const rd_kafka_consumer_group_metadata_s& metadata);

// Of each partition.
PrefetchLimits LimitsFor(const ConsumerOptions& options);

class KafkaConsumer final : public Consumer {
 public:
  static Result<std::unique_ptr<KafkaConsumer>> Open(std::shared_ptr<KafkaAdmin> admin,
                                                     const ConsumerOptions& options);
  ~KafkaConsumer() override;

  Status Join(std::string_view placement_topic) override;
  Result<GroupChange> Poll(Duration timeout) override;
  void Wake() override;
  Result<PartitionReader*> Assign(const PartitionId& id, int64_t offset) override;
  Status Release(const PartitionId& id) override;
  Result<std::vector<std::optional<int64_t>>> Committed(std::span<const PartitionId> ids) override;
  Status Close(Duration limit) override;

  // What a transaction begun at `begun` (SteadyNow) commits its positions with. kAborted where it must not be
  // committed: a share was taken away since, or the member is none at this moment.
  Result<GroupMetadata> MetadataFor(Duration begun) const;

 private:
  KafkaConsumer(std::shared_ptr<KafkaAdmin> admin, ConsumerOptions options);
  Status Start();
  Status ServeGroup();
  Status TakeError(int code, const std::string& text);
  void OnRebalance(int code, const rd_kafka_topic_partition_list_s& partitions);
  bool AnythingAtHand() const;
  bool NotAMember() const;
  Status Closed() const;
  Status LeaveGroup(Duration limit);

  std::shared_ptr<KafkaAdmin> admin_;
  ConsumerOptions options_;
  Duration poll_limit_;  // max.poll.interval.ms
  int event_ = -1;       // an eventfd that librdkafka's queues and Wake write to
  std::atomic<bool> woken_{false};
  std::unique_ptr<KafkaClient> client_;
  rd_kafka_queue_s* group_queue_ = nullptr;
  std::unique_ptr<KafkaRouser> rouser_;
  std::map<PartitionId, std::unique_ptr<KafkaReader>> readers_;
  std::string placement_;
  std::set<int32_t> owned_;
  GroupChange change_;
  Duration last_taken_away_ = -1;
  Duration last_poll_ = 0;
  bool joined_ = false;
  bool closing_ = false;
};

Result<std::unique_ptr<Consumer>> OpenKafkaConsumer(std::shared_ptr<KafkaAdmin> admin,
                                                    const ConsumerOptions& options);

}  // namespace freshet
