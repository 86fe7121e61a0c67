#include "engine/log/kafka/kafka_admin.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <librdkafka/rdkafka.h>

#include "engine/log/kafka/kafka_error.h"

namespace freshet {
namespace {

constexpr Duration kTryFor = 5 * kSecond;
constexpr Duration kBetweenTries = 20 * kMillisecond;
constexpr int64_t kDefaultLimit = 1048588;  // of brokers that do not tell
// A batch's header, the record's own and the framing of its headers, generously.
constexpr int64_t kRecordOverhead = 1024;

struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* m) const { rd_kafka_metadata_destroy(m); }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

struct TopicDeleter {
  void operator()(rd_kafka_topic_t* t) const { rd_kafka_topic_destroy(t); }
};
using Topic = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;

KafkaSettings FixedFor(const char* isolation) {
  return {{"allow.auto.create.topics", "false"},
          {"isolation.level", isolation},
          {"max.poll.interval.ms", "300000"}};  // a user's is for members of groups
}

// Repeats `ask` while it comes to something that passes by itself; the last code.
template <class Ask>
int Repeat(Duration limit, Ask ask) {
  const Deadline deadline(limit);
  while (true) {
    const int code = ask(deadline.left_ms(kTryFor));
    if (!IsTransient(code) || deadline.left() <= kBetweenTries) return code;
    std::this_thread::sleep_for(std::chrono::microseconds(kBetweenTries));
  }
}

int Ask(KafkaClient& client, Duration limit, bool all, rd_kafka_topic_t* topic, Metadata& out) {
  return Repeat(limit, [&](int milliseconds) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(client.handle(), all ? 1 : 0, topic, &metadata, std::max(milliseconds, 1));
    out.reset(metadata);
    return static_cast<int>(code);
  });
}

int Count(KafkaClient& client, Duration limit, rd_kafka_topic_t* topic, int32_t& partitions) {
  Metadata metadata;
  if (const int code = Ask(client, limit, false, topic, metadata); code != 0) return code;
  if (metadata->topic_cnt != 1) return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
  partitions = metadata->topics[0].partition_cnt;
  // An election is no reason not to know how many partitions there are.
  const int code = metadata->topics[0].err;
  return code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ? 0 : code;
}

}  // namespace

Result<std::unique_ptr<KafkaAdmin>> KafkaAdmin::Open(const KafkaOptions& options) {
  std::unique_ptr<KafkaAdmin> admin(new KafkaAdmin(options));
  if (Status s = admin->Connect(); !s.ok()) return s;
  return admin;
}

// A consumer, since a producer's questions create topics on brokers that allow it.
Status KafkaAdmin::Connect() {
  Result<std::unique_ptr<KafkaClient>> client =
      KafkaClient::Open(KafkaClient::Kind::kConsumer, "admin", options_, {{"socket.timeout.ms", "10000"}},
                        FixedFor("read_committed"), {});
  if (!client.ok()) return client.status();
  client_ = std::move(*client);
  Metadata metadata;
  if (const int code = Ask(*client_, options_.connect_limit, false, nullptr, metadata); code != 0) {
    const std::string failure = client_->last_failure();
    return Unreachable(options_.brokers, failure.empty() ? ErrorText(code) : failure);
  }
  return {};
}

Status KafkaAdmin::WhyNot(int code, const std::string& what) const {
  const std::string failure = IsTransient(code) ? client_->last_failure() : "";
  return ToStatus(code, failure.empty() ? what : what + " (" + failure + ")", options_.brokers);
}

Result<std::vector<std::string>> KafkaAdmin::Topics() {
  Metadata metadata;
  if (const int code = Ask(*client_, options_.patience, true, nullptr, metadata); code != 0) {
    return WhyNot(code, "listing the topics");
  }
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(metadata->topic_cnt));
  for (int i = 0; i < metadata->topic_cnt; ++i)
    names.emplace_back(metadata->topics[i].topic);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::optional<int32_t>> KafkaAdmin::Partitions(const std::string& topic) {
  const Topic handle(rd_kafka_topic_new(client_->handle(), topic.c_str(), nullptr));
  if (!handle) return Invalid("`" + topic + "` is no name of a topic");
  int32_t count = 0;
  const int code = Count(*client_, options_.patience, handle.get(), count);
  if (IsMissing(code)) return std::optional<int32_t>();
  if (code != 0) return WhyNot(code, "topic " + topic);
  return std::optional<int32_t>(count);
}

Result<std::optional<TopicInfo>> KafkaAdmin::Find(const std::string& topic) {
  Result<std::optional<int32_t>> partitions = Partitions(topic);
  if (!partitions.ok()) return partitions.status();
  if (!*partitions) return std::optional<TopicInfo>();
  TopicInfo info;
  info.partitions = **partitions;
  if (Status s = DescribeTopic(topic, info); !s.ok()) return s;
  const std::lock_guard lock(mutex_);
  known_[topic] = info;
  limits_.smallest = std::min(limits_.smallest, info.max_record_bytes + kRecordOverhead);
  limits_.largest = std::max(limits_.largest, info.max_record_bytes + kRecordOverhead);
  return std::optional<TopicInfo>(info);
}

Result<TopicInfo> KafkaAdmin::Known(const std::string& topic) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(topic); found != known_.end()) return found->second;
  }
  Result<std::optional<TopicInfo>> info = Find(topic);
  if (!info.ok()) return info.status();
  if (!*info)
    return Status(Code::kNotFound, "there is no topic " + topic + "; create it, or correct its name");
  return **info;
}

TopicLimits KafkaAdmin::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

namespace {

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* q) const { rd_kafka_queue_destroy(q); }
};
struct EventDeleter {
  void operator()(rd_kafka_event_t* e) const { rd_kafka_event_destroy(e); }
};
struct OptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* o) const { rd_kafka_AdminOptions_destroy(o); }
};
struct ResourceDeleter {
  void operator()(rd_kafka_ConfigResource_t* r) const { rd_kafka_ConfigResource_destroy(r); }
};
struct NewTopicDeleter {
  void operator()(rd_kafka_NewTopic_t* t) const { rd_kafka_NewTopic_destroy(t); }
};
using Queue = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;
using Event = std::unique_ptr<rd_kafka_event_t, EventDeleter>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, ResourceDeleter>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter>;

AdminOptions LimitedTo(rd_kafka_t* handle, rd_kafka_admin_op_t operation, int milliseconds) {
  AdminOptions options(rd_kafka_AdminOptions_new(handle, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds, nullptr, 0);
  return options;
}

// Of `retention.ms`, where -1 is for ever.
Duration RetentionOf(int64_t milliseconds) {
  return milliseconds < 0 || milliseconds > kMaxTime / kMillisecond ? kMaxTime : milliseconds * kMillisecond;
}

int DescribeOnce(rd_kafka_t* handle, const std::string& topic, int milliseconds, TopicInfo& info) {
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const AdminOptions options =
      LimitedTo(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, std::max(milliseconds, 1));
  const Queue queue(rd_kafka_queue_new(handle));
  rd_kafka_ConfigResource_t* asked = resource.get();
  rd_kafka_DescribeConfigs(handle, &asked, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), -1));  // always answered, at the latest by the time-out
  if (const int code = rd_kafka_event_error(event.get()); code != 0) return code;
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(event.get());
  size_t count = 0;
  const rd_kafka_ConfigResource_t** answers = rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count != 1) return RD_KAFKA_RESP_ERR__BAD_MSG;
  if (const int code = rd_kafka_ConfigResource_error(answers[0]); code != 0) return code;
  bool deletes = true;
  size_t entries = 0;
  const rd_kafka_ConfigEntry_t** configs = rd_kafka_ConfigResource_configs(answers[0], &entries);
  for (size_t i = 0; i < entries; ++i) {
    const std::string_view name = rd_kafka_ConfigEntry_name(configs[i]);
    const char* value = rd_kafka_ConfigEntry_value(configs[i]);
    if (value == nullptr) continue;
    if (name == "max.message.bytes")
      info.max_record_bytes = std::strtoll(value, nullptr, 10) - kRecordOverhead;
    if (name == "cleanup.policy") {
      info.compacted = std::string_view(value).find("compact") != std::string::npos;
      deletes = std::string_view(value).find("delete") != std::string::npos;
    }
    if (name == "retention.ms") info.retention = RetentionOf(std::strtoll(value, nullptr, 10));
  }
  if (!deletes) info.retention = kMaxTime;
  return 0;
}

}  // namespace

Status KafkaAdmin::DescribeTopic(const std::string& topic, TopicInfo& info) {
  info.max_record_bytes = kDefaultLimit - kRecordOverhead;
  const int code = Repeat(options_.patience, [&](int milliseconds) {
    return DescribeOnce(client_->handle(), topic, milliseconds, info);
  });
  // A user may be allowed to read and write a topic but not to see its settings; the defaults serve.
  if (IsRefused(code)) return {};
  info.max_record_bytes = std::max<int64_t>(info.max_record_bytes, 0);
  return WhyNot(code, "the settings of topic " + topic);
}

namespace {

void Configure(rd_kafka_NewTopic_t* topic, const TopicSettings& settings) {
  if (settings.compacted) {
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
    // Only closed segments are compacted, and a restore reads all that is not. The segments' age is left
    // alone: it is judged by record timestamps, and a replayed year would close thousands.
    rd_kafka_NewTopic_set_config(topic, "segment.bytes", "67108864");
    rd_kafka_NewTopic_set_config(topic, "min.cleanable.dirty.ratio", "0.3");
  } else if (settings.retention) {
    const std::string retention =
        *settings.retention == kMaxTime
            ? "-1"
            : std::to_string(std::max<Duration>(1, *settings.retention / kMillisecond));
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic, "retention.ms", retention.c_str());
    if (*settings.retention == kMaxTime) rd_kafka_NewTopic_set_config(topic, "retention.bytes", "-1");
  }
}

// `why` gets the broker's own words.
int CreateOnce(rd_kafka_t* handle, rd_kafka_NewTopic_t* topic, int milliseconds, std::string& why) {
  const AdminOptions options = LimitedTo(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, std::max(milliseconds, 1));
  const Queue queue(rd_kafka_queue_new(handle));
  rd_kafka_CreateTopics(handle, &topic, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), -1));
  if (const int code = rd_kafka_event_error(event.get()); code != 0) return code;
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) return RD_KAFKA_RESP_ERR__BAD_MSG;
  const char* words = rd_kafka_topic_result_error_string(results[0]);
  why = words == nullptr ? "" : words;
  return rd_kafka_topic_result_error(results[0]);
}

}  // namespace

Status KafkaAdmin::Create(const std::string& topic, const TopicSettings& settings) {
  char refused[256] = {};
  const NewTopic created(rd_kafka_NewTopic_new(topic.c_str(), settings.partitions, settings.replication,
                                               refused, sizeof refused));
  if (!created) return Invalid("topic " + topic + " cannot be created: " + refused);
  Configure(created.get(), settings);
  std::string why;
  int tries = 0;
  const int code = Repeat(options_.patience, [&](int milliseconds) {
    ++tries;
    return CreateOnce(client_->handle(), created.get(), milliseconds, why);
  });
  // After a try that got no answer, `exists` may well be that try's success.
  const bool exists = code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
  if (exists && tries == 1) return {Code::kConflict, "topic " + topic + " exists already"};
  if (code != 0 && !exists) {
    if (IsTransient(code)) return WhyNot(code, "creating topic " + topic);
    return Invalid("topic " + topic + " cannot be created: " + (why.empty() ? ErrorText(code) : why));
  }
  return AwaitLeaders(topic, settings.partitions);
}

// The broker answers before its partitions have leaders, and what comes next would fail.
Status KafkaAdmin::AwaitLeaders(const std::string& topic, int32_t partitions) {
  const Topic handle(rd_kafka_topic_new(client_->handle(), topic.c_str(), nullptr));
  const int code = Repeat(options_.patience, [&](int milliseconds) -> int {
    const rd_kafka_metadata_t* answer = nullptr;
    const int asked =
        rd_kafka_metadata(client_->handle(), 0, handle.get(), &answer, std::max(milliseconds, 1));
    const Metadata metadata(answer);
    if (asked != 0) return asked;
    if (metadata->topic_cnt != 1) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    const rd_kafka_metadata_topic_t& found = metadata->topics[0];
    const bool led = found.err == 0 && found.partition_cnt == partitions &&
                     std::all_of(found.partitions, found.partitions + found.partition_cnt,
                                 [](const rd_kafka_metadata_partition_t& p) { return p.leader >= 0; });
    return led ? 0 : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  });
  return WhyNot(code, "waiting for leaders of the new topic " + topic);
}

Result<KafkaClient*> KafkaAdmin::HandleFor(Isolation isolation) {
  if (isolation == Isolation::kCommitted) return client_.get();
  const std::lock_guard lock(opening_);
  if (!uncommitted_) {
    Result<std::unique_ptr<KafkaClient>> client =
        KafkaClient::Open(KafkaClient::Kind::kConsumer, "admin-uncommitted", options_,
                          {{"socket.timeout.ms", "10000"}}, FixedFor("read_uncommitted"), {});
    if (!client.ok()) return client.status();
    uncommitted_ = std::move(*client);
  }
  return uncommitted_.get();
}

Result<OffsetRange> KafkaAdmin::Range(const PartitionId& id, Isolation isolation) {
  Result<KafkaClient*> client = HandleFor(isolation);
  if (!client.ok()) return client.status();
  return QueryRange(**client, id, options_);
}

namespace {

bool IsListed(KafkaClient& client, const PartitionId& id, Duration limit) {
  const Topic topic(rd_kafka_topic_new(client.handle(), id.topic.c_str(), nullptr));
  int32_t partitions = 0;
  return topic && Count(client, limit, topic.get(), partitions) == 0 && id.partition < partitions;
}

}  // namespace

Result<OffsetRange> QueryRange(KafkaClient& client, const PartitionId& id, const KafkaOptions& options) {
  OffsetRange range;
  // A negative partition has meanings of its own to librdkafka.
  if (id.partition < 0)
    return Status(Code::kNotFound, id.topic + " has no partition " + std::to_string(id.partition));
  const int code = Repeat(options.patience, [&](int milliseconds) -> int {
    const int answer = rd_kafka_query_watermark_offsets(client.handle(), id.topic.c_str(), id.partition,
                                                        &range.begin, &range.end, std::max(milliseconds, 1));
    // A broker lists a new topic a moment before it serves its partitions, and denies them until then.
    if (IsMissing(answer) && IsListed(client, id, milliseconds * kMillisecond))
      return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    return answer;
  });
  if (code == 0) return range;
  const std::string what = "the offsets of " + TextOf(id);
  if (IsMissing(code))
    return Status(Code::kNotFound, what + ": no such topic or partition; correct its name");
  return ToStatus(code, what, options.brokers);
}

}  // namespace freshet
