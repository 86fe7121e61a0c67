#include "engine/log/kafka/kafka_consumer.h"

#include <algorithm>
#include <cstring>

#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/base/logging.h"
#include "engine/base/number.h"
#include "engine/log/kafka/kafka_error.h"

namespace freshet {
namespace {

constexpr Duration kDefaultPollLimit = 5 * kMinute;
constexpr Duration kLongestWait = kSecond;  // librdkafka's timers are to be served while nothing comes
// With queues of their own librdkafka counts its prefetch limits for each partition, so each has its part of
// the whole: at most an eighth, since more buys nothing, and at least so much that fetching is worth it.
constexpr int64_t kFewPartitions = 8;
constexpr int64_t kLeastBytes = 64 << 10;
constexpr int64_t kMostFetched = 1 << 20;       // of one partition by one request
constexpr int64_t kBytesPerQueuedRecord = 512;  // librdkafka's own part of a small record

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

KafkaSettings DefaultsFor(const ConsumerOptions& options) {
  const int64_t session = options.session_timeout / kMillisecond;
  return {{"fetch.wait.max.ms", options.merges ? "20" : "500"},
          {"fetch.error.backoff.ms", "5"},
          {"socket.timeout.ms", "10000"},
          {"heartbeat.interval.ms", std::to_string(std::clamp<int64_t>(session / 4, 1, 3000))},
          {"coordinator.query.interval.ms", "1000"},
          {"max.poll.interval.ms", std::to_string(kDefaultPollLimit / kMillisecond)}};
}

KafkaSettings FixedFor(const ConsumerOptions& options, const std::string& client_id) {
  const PrefetchLimits limits = LimitsFor(options);
  const int64_t fetch = std::clamp<int64_t>(options.prefetch_bytes, 64 << 10, 50 << 20);
  const bool committed = options.isolation == Isolation::kCommitted;
  KafkaSettings fixed = {
      // librdkafka assigns nothing without a group; this one is never joined and never committed to.
      {"group.id", options.group.empty() ? client_id : options.group},
      {"session.timeout.ms", std::to_string(std::max<int64_t>(options.session_timeout / kMillisecond, 1))},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"isolation.level", committed ? "read_committed" : "read_uncommitted"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"allow.auto.create.topics", "false"},
      {"auto.offset.reset", "error"},  // records that are gone are told, not skipped
      {"queued.max.messages.kbytes", std::to_string(limits.bytes >> 10)},
      {"queued.min.messages", std::to_string(limits.records)},
      {"fetch.message.max.bytes", std::to_string(limits.fetch)},
      {"message.max.bytes", std::to_string(std::min<int64_t>(fetch, 1000000))},
      {"fetch.max.bytes", std::to_string(fetch)},
  };
  if (options.group.empty()) {
    // A user's max.poll.interval.ms, which may not be below the session's time-out, is for the group's
    // members.
    fixed.emplace_back("max.poll.interval.ms", std::to_string(kDefaultPollLimit / kMillisecond));
  }
  if (!options.instance.empty()) fixed.emplace_back("group.instance.id", options.instance);
  return fixed;
}

void AppendPartition(const PartitionId& id, rd_kafka_topic_partition_list_t& list) {
  rd_kafka_topic_partition_list_add(&list, id.topic.c_str(), id.partition);
}

}  // namespace

// A queue below its limit is fetched for once more.
PrefetchLimits LimitsFor(const ConsumerOptions& options) {
  const int64_t partitions = std::max<int64_t>(options.partitions, kFewPartitions);
  const int64_t share = std::max(options.prefetch_bytes / partitions, kLeastBytes);
  PrefetchLimits limits;
  limits.fetch = std::min(share / 2, kMostFetched);
  limits.bytes = share - limits.fetch;
  limits.records = std::max<int64_t>(limits.bytes / kBytesPerQueuedRecord, 100);
  return limits;
}

Result<std::unique_ptr<Consumer>> OpenKafkaConsumer(std::shared_ptr<KafkaAdmin> admin,
                                                    const ConsumerOptions& options) {
  Result<std::unique_ptr<KafkaConsumer>> consumer = KafkaConsumer::Open(std::move(admin), options);
  if (!consumer.ok()) return consumer.status();
  return std::unique_ptr<Consumer>(std::move(*consumer));
}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::Open(std::shared_ptr<KafkaAdmin> admin,
                                                           const ConsumerOptions& options) {
  std::unique_ptr<KafkaConsumer> consumer(new KafkaConsumer(std::move(admin), options));
  if (Status s = consumer->Start(); !s.ok()) return s;
  return consumer;
}

KafkaConsumer::KafkaConsumer(std::shared_ptr<KafkaAdmin> admin, ConsumerOptions options)
    : admin_(std::move(admin)), options_(std::move(options)), poll_limit_(kDefaultPollLimit) {
  for (const auto& [key, value] : admin_->options().settings) {
    if (key != "max.poll.interval.ms") continue;
    if (const std::optional<int64_t> limit = ParseInt(value)) poll_limit_ = *limit * kMillisecond;
  }
}

Status KafkaConsumer::Start() {
  event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event_ < 0) return {Code::kExhausted, std::string("no event descriptor: ") + std::strerror(errno)};
  KafkaClient::Hooks hooks;
  hooks.rebalance = [this](int code, const rd_kafka_topic_partition_list_t* list) {
    OnRebalance(code, *list);
  };
  const KafkaOptions& options = admin_->options();
  Result<std::unique_ptr<KafkaClient>> client =
      KafkaClient::Open(KafkaClient::Kind::kConsumer, options_.group.empty() ? "reader" : "consumer", options,
                        DefaultsFor(options_), FixedFor(options_, options.client_id), std::move(hooks));
  if (!client.ok()) return client.status();
  client_ = std::move(*client);
  rouser_ = std::make_unique<KafkaRouser>(client_->handle());
  rd_kafka_poll_set_consumer(client_->handle());
  group_queue_ = rd_kafka_queue_get_consumer(client_->handle());
  const uint64_t one = 1;
  rd_kafka_queue_io_event_enable(group_queue_, event_, &one, sizeof one);
  last_poll_ = SteadyNow();
  return {};
}

KafkaConsumer::~KafkaConsumer() {
  if (!closing_ && client_) [[maybe_unused]]
    const Status closed = Close(5 * kSecond);
  if (event_ >= 0) close(event_);
}

Status KafkaConsumer::Closed() const {
  return closing_ ? Internal("the consumer is closed") : Status();
}

Status KafkaConsumer::Join(std::string_view placement_topic) {
  if (Status s = Closed(); !s.ok()) return s;
  if (options_.group.empty()) return Internal("a consumer without a group cannot join one");
  placement_ = placement_topic;
  if (Result<TopicInfo> known = admin_->Known(placement_); !known.ok()) return known.status();
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  AppendPartition({placement_, RD_KAFKA_PARTITION_UA}, *list);
  const int code = rd_kafka_subscribe(client_->handle(), list.get());
  joined_ = code == 0;
  return ToStatus(code, "joining the group " + options_.group, admin_->options().brokers);
}

Result<GroupChange> KafkaConsumer::Poll(Duration timeout) {
  if (Status s = Closed(); !s.ok()) return s;
  const Deadline deadline(timeout);
  while (true) {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t read_bytes = read(event_, &count, sizeof count);  // nothing there: as well
    if (Status s = ServeGroup(); !s.ok()) return s;
    last_poll_ = SteadyNow();
    const bool woken = woken_.exchange(false);
    if (!change_.empty()) return std::exchange(change_, {});
    if (woken || AnythingAtHand() || deadline.passed()) return GroupChange{};
    pollfd readable{event_, POLLIN, 0};
    poll(&readable, 1, deadline.left_ms(kLongestWait));
  }
}

// Only what a signal handler may do.
void KafkaConsumer::Wake() {
  woken_.store(true);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof one);  // full: it is readable anyway
}

bool KafkaConsumer::AnythingAtHand() const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [](const auto& entry) { return entry.second->wants_call(); });
}

// Runs the rebalance handler where there is news. Also tells librdkafka that the application is alive.
Status KafkaConsumer::ServeGroup() {
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), 0)) {
    const int code = message->err;
    const std::string text = code == 0 ? "" : rd_kafka_message_errstr(message);
    rd_kafka_message_destroy(message);
    if (code == 0) continue;  // a record in the placement topic, which nobody reads
    if (Status s = TakeError(code, text); !s.ok()) return s;
  }
  // Its message may have gone to the queue of a partition that nobody reads any more.
  const std::optional<std::string> why = client_->fatal();
  return why ? TakeError(RD_KAFKA_RESP_ERR__FATAL, *why) : Status();
}

Status KafkaConsumer::TakeError(int code, const std::string& text) {
  if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF || IsTransient(code)) return {};
  if (code == RD_KAFKA_RESP_ERR__FATAL || IsFencing(code)) {
    return {Code::kFenced,
            "the group " + options_.group + " threw this member out for good: " + text +
                (options_.instance.empty() ? ""
                                           : "; does another process run with the same --instance (member " +
                                                 options_.instance + ")?")};
  }
  if (IsRefused(code) && joined_)
    return ToStatus(code, "the group " + options_.group, admin_->options().brokers);
  if (code == RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT) {
    return Invalid("the broker refuses a session time-out of " + FormatDuration(options_.session_timeout) +
                   "; see its group.min.session.timeout.ms and group.max.session.timeout.ms");
  }
  if (!IsRefused(code) && !IsMissing(code)) LogWarning("the group " + options_.group + ": " + text);
  return {};
}

void GroupMetadataDeleter::operator()(rd_kafka_consumer_group_metadata_s* metadata) const {
  rd_kafka_consumer_group_metadata_destroy(metadata);
}

// librdkafka has no accessors; the bytes it writes for its language bindings hold what we need: a mark, the
// generation in the machine's byte order, then group and member, each ended by a zero byte.
Result<Membership> ReadMembership(const rd_kafka_consumer_group_metadata_s& metadata) {
  constexpr std::string_view kMark = "CGMDv2:";
  void* buffer = nullptr;
  size_t size = 0;
  if (const KafkaOutcome outcome = Take(rd_kafka_consumer_group_metadata_write(&metadata, &buffer, &size));
      !outcome.ok()) {
    return Internal("the group's metadata cannot be written: " + outcome.text);
  }
  const std::string bytes(static_cast<const char*>(buffer), size);
  rd_kafka_mem_free(nullptr, buffer);
  const size_t group = kMark.size() + sizeof(int32_t);
  const size_t member = bytes.find('\0', group);
  if (!bytes.starts_with(kMark) || member == std::string::npos || member + 1 >= bytes.size()) {
    return Internal("this librdkafka (" + std::string(rd_kafka_version_str()) +
                    ") writes group metadata in an unknown form; use the version Freshet was built for");
  }
  Membership membership;
  std::memcpy(&membership.generation, bytes.data() + kMark.size(), sizeof membership.generation);
  membership.member = bytes.c_str() + member + 1;
  return membership;
}

bool KafkaConsumer::NotAMember() const {
  const GroupMetadata metadata(rd_kafka_consumer_group_metadata(client_->handle()));
  if (!metadata) return true;
  const Result<Membership> membership = ReadMembership(*metadata);
  return !membership.ok() || membership->generation < 0 || membership->member.empty();
}

void KafkaConsumer::OnRebalance(int code, const rd_kafka_topic_partition_list_s& partitions) {
  rd_kafka_t* handle = client_->handle();
  const bool assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  // Asked before the answer below, which resets it. A loss also shows in the group's metadata: the flag alone
  // would be gone if the answer to an assignment of data partitions came between.
  const bool lost = !assign && (rd_kafka_assignment_lost(handle) != 0 || (!closing_ && NotAMember()));
  // A copy with an offset, or librdkafka would ask the group for one.
  const PartitionList copy(rd_kafka_topic_partition_list_copy(&partitions));
  for (int i = 0; i < copy->cnt; ++i)
    copy->elems[i].offset = 0;
  const KafkaOutcome outcome = Take(assign ? rd_kafka_incremental_assign(handle, copy.get())
                                           : rd_kafka_incremental_unassign(handle, copy.get()));
  if (!outcome.ok() && !closing_) LogWarning("the group " + options_.group + ": " + outcome.text);
  // Placement partitions stand for shares of the work; nobody reads them.
  if (assign && copy->cnt > 0) rd_kafka_pause_partitions(handle, copy.get());
  for (int i = 0; i < partitions.cnt; ++i) {
    const int32_t share = partitions.elems[i].partition;
    if (assign ? owned_.insert(share).second : owned_.erase(share) > 0) {
      (assign ? change_.assigned : change_.revoked).push_back(share);
      if (!assign) last_taken_away_ = SteadyNow();
    }
  }
  if (lost) {
    change_.lost = true;
    last_taken_away_ = SteadyNow();
  }
}

Result<GroupMetadata> KafkaConsumer::MetadataFor(Duration begun) const {
  if (Status s = Closed(); !s.ok()) return s;
  if (last_taken_away_ >= begun) {
    return Status(Code::kAborted, "a share of the work went to another process since the epoch began");
  }
  // Any call for records tells librdkafka that the application is alive, so its own watch would not see a
  // lane that does not look at the group's news.
  if (joined_ && SteadyNow() - last_poll_ > poll_limit_) {
    return Status(Code::kAborted,
                  "the lane did not look after its group for longer than max.poll.interval.ms (" +
                      FormatDuration(poll_limit_) + ")");
  }
  GroupMetadata metadata(rd_kafka_consumer_group_metadata(client_->handle()));
  if (!metadata || options_.group.empty()) return Internal("a consumer without a group commits no positions");
  // The broker would take positions from generation -1 with an empty member without asking who it is.
  Result<Membership> membership = ReadMembership(*metadata);
  if (!membership.ok()) return membership.status();
  if (membership->generation < 0 || membership->member.empty()) {
    return Status(Code::kAborted, "not a member of the group " + options_.group + " at this moment");
  }
  return metadata;
}

Result<PartitionReader*> KafkaConsumer::Assign(const PartitionId& id, int64_t offset) {
  if (Status s = Closed(); !s.ok()) return s;
  if (readers_.contains(id)) return Internal(id.topic + " is assigned already");
  // First the group's news: assigning data partitions answers an open rebalance, and a loss would go unseen.
  if (Status s = ServeGroup(); !s.ok()) return s;
  // The end is asked for now, so that lag is known from the start and not from the first fetch on.
  Result<OffsetRange> range = QueryRange(*client_, id, admin_->options());
  if (!range.ok()) return range.status();
  const std::string name = TextOf(id);
  if (offset < range->begin) {
    return Status(Code::kNotFound,
                  name + " no longer has offset " + std::to_string(offset) + ", it begins at " +
                      std::to_string(range->begin) +
                      ": the records were deleted by the topic's retention; restore them, or start "
                      "the job without its state");
  }
  auto reader =
      std::make_unique<KafkaReader>(client_->handle(), id, offset, range->end, *rouser_,
                                    KafkaReaderOptions{LimitsFor(options_), options_.headers, event_});
  if (Status s = reader->Start(); !s.ok()) return s;
  return readers_.emplace(id, std::move(reader)).first->second.get();
}

Status KafkaConsumer::Release(const PartitionId& id) {
  if (Status s = Closed(); !s.ok()) return s;
  const auto found = readers_.find(id);
  if (found == readers_.end()) return Internal(id.topic + " is not assigned");
  const Status served = ServeGroup();  // as in Assign; the partition is released all the same
  const Status stopped = found->second->Stop();
  readers_.erase(found);
  return served.ok() ? stopped : served;
}

Result<std::vector<std::optional<int64_t>>> KafkaConsumer::Committed(std::span<const PartitionId> ids) {
  if (Status s = Closed(); !s.ok()) return s;
  if (options_.group.empty()) return Internal("a consumer without a group has no positions");
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(ids.size())));
  for (const PartitionId& id : ids)
    AppendPartition(id, *list);
  const Deadline deadline(admin_->options().patience);
  while (true) {
    // Stable, since the isolation level is read_committed: the broker makes us wait for pending transactions.
    int code = rd_kafka_committed(client_->handle(), list.get(), deadline.left_ms(5 * kSecond));
    for (int i = 0; code == 0 && i < list->cnt; ++i)
      code = list->elems[i].err;
    if (code == 0) break;
    if (!IsTransient(code) || deadline.passed()) {
      return ToStatus(code, "the positions of the group " + options_.group, admin_->options().brokers);
    }
  }
  std::vector<std::optional<int64_t>> positions;
  for (int i = 0; i < list->cnt; ++i) {
    const int64_t offset = list->elems[i].offset;
    positions.push_back(offset >= 0 ? std::optional(offset) : std::nullopt);
  }
  return positions;
}

// A cooperative consumer's close may wait for ever, so it is asked for and then watched.
Status KafkaConsumer::LeaveGroup(Duration limit) {
  const Deadline deadline(limit);
  const KafkaOutcome asked = Take(rd_kafka_consumer_close_queue(client_->handle(), group_queue_));
  if (!asked.ok()) return Internal("leaving the group " + options_.group + ": " + asked.text);
  while (rd_kafka_consumer_closed(client_->handle()) == 0) {
    if (deadline.passed()) {
      return {Code::kUnreachable, "the group " + options_.group + " was not left within " +
                                      FormatDuration(limit) +
                                      "; the broker gives its share away after the session time-out"};
    }
    rd_kafka_queue_poll_callback(group_queue_, deadline.left_ms(20 * kMillisecond));
  }
  return {};
}

Status KafkaConsumer::Close(Duration limit) {
  if (Status s = Closed(); !s.ok()) return s;
  closing_ = true;
  const Deadline deadline(limit);
  readers_.clear();  // data partitions first: the group's end would wait for them
  rouser_.reset();
  Status left = LeaveGroup(std::max<Duration>(deadline.left(), 0));
  rd_kafka_queue_io_event_enable(group_queue_, -1, nullptr, 0);
  rd_kafka_queue_destroy(group_queue_);
  group_queue_ = nullptr;
  client_->Destroy(std::max<Duration>(deadline.left(), 100 * kMillisecond));
  return left;
}

}  // namespace freshet
