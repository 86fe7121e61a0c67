#pragma once
// Questions about topics, and their creation. Any thread. Always holds: no question creates a topic.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log/kafka/kafka_client.h"
#include "engine/log/log.h"

namespace freshet {

// What later clients need to know of the topics seen so far.
struct TopicLimits {
  int64_t smallest = INT64_MAX;  // max.message.bytes, in bytes of a batch
  int64_t largest = 0;
};

class KafkaAdmin {
 public:
  static Result<std::unique_ptr<KafkaAdmin>> Open(const KafkaOptions& options);

  Result<std::vector<std::string>> Topics();
  Result<std::optional<TopicInfo>> Find(const std::string& topic);
  Status Create(const std::string& topic, const TopicSettings& settings);
  Result<OffsetRange> Range(const PartitionId& id, Isolation isolation);
  // Partitions of a topic, asked for once; kNotFound.
  Result<TopicInfo> Known(const std::string& topic);
  TopicLimits limits() const;
  const KafkaOptions& options() const { return options_; }

 private:
  explicit KafkaAdmin(KafkaOptions options) : options_(std::move(options)) {}
  Status Connect();
  Result<std::optional<int32_t>> Partitions(const std::string& topic);
  Status DescribeTopic(const std::string& topic, TopicInfo& info);
  Status AwaitLeaders(const std::string& topic, int32_t partitions);
  Result<KafkaClient*> HandleFor(Isolation isolation);
  Status WhyNot(int code, const std::string& what) const;

  const KafkaOptions options_;
  std::unique_ptr<KafkaClient> client_;  // reads committed
  std::mutex opening_;
  std::unique_ptr<KafkaClient> uncommitted_;  // opened when first needed
  mutable std::mutex mutex_;
  std::map<std::string, TopicInfo, std::less<>> known_;
  TopicLimits limits_;
};

// Begin and end of a partition as `client` sees it, by its isolation level.
Result<OffsetRange> QueryRange(KafkaClient& client, const PartitionId& id, const KafkaOptions& options);

}  // namespace freshet
