#include "engine/log/kafka/kafka_producer.h"

#include <algorithm>
#include <array>

#include <librdkafka/rdkafka.h>

namespace freshet {
namespace {

constexpr uint32_t kSendsBetweenPolls = 256;
constexpr int64_t kBytesPerQueuedRecord = 128;
constexpr int64_t kBatchBytes = 500000;
constexpr int64_t kDefaultMessageLimit = 1000000;
constexpr int64_t kLargestMessageLimit = 1000000000;
constexpr Duration kFlushedWithin = 2 * kSecond;
constexpr Duration kWarmingAtMost = 10 * kSecond;
constexpr Duration kUndeliveredAfter = 120 * kSecond;  // plain records

struct TopicConfDeleter {
  void operator()(rd_kafka_topic_conf_t* conf) const { rd_kafka_topic_conf_destroy(conf); }
};

int64_t SizeOf(const OutgoingRecord& record) {
  size_t size = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const Header& header : record.headers)
    size += header.key.size() + header.value.size();
  return static_cast<int64_t>(size);
}

KafkaSettings Defaults() {
  return {{"linger.ms", "10"}};  // a commit does not wait for it
}

KafkaSettings FixedFor(const ProducerOptions& options, const TopicLimits& limits) {
  // The limit of a topic holds for a batch as compressed, and a batch that is too large is refused as a
  // whole.
  const int64_t batch = std::clamp<int64_t>(limits.smallest, 1024, kBatchBytes);
  KafkaSettings fixed = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"batch.size", std::to_string(batch)},
      {"message.max.bytes",
       std::to_string(std::clamp<int64_t>(limits.largest, kDefaultMessageLimit, kLargestMessageLimit))},
      {"queue.buffering.max.kbytes",
       std::to_string(std::clamp<int64_t>(options.queue_bytes >> 10, 1, 2097151))},
      {"queue.buffering.max.messages",
       std::to_string(std::clamp<int64_t>(options.queue_bytes / kBytesPerQueuedRecord, 1000, 10000000))},
  };
  if (options.transactional_id.empty()) {
    fixed.emplace_back("message.timeout.ms", std::to_string(kUndeliveredAfter / kMillisecond));
  } else {
    fixed.emplace_back("transactional.id", options.transactional_id);
    fixed.emplace_back("transaction.timeout.ms", std::to_string(options.transaction_timeout / kMillisecond));
  }
  return fixed;
}

}  // namespace

Result<std::unique_ptr<Producer>> OpenKafkaProducer(std::shared_ptr<KafkaAdmin> admin,
                                                    const ProducerOptions& options) {
  Result<std::unique_ptr<KafkaProducer>> producer = KafkaProducer::Open(std::move(admin), options);
  if (!producer.ok()) return producer.status();
  return std::unique_ptr<Producer>(std::move(*producer));
}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::Open(std::shared_ptr<KafkaAdmin> admin,
                                                           const ProducerOptions& options) {
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(std::move(admin), options));
  if (Status s = producer->OpenClient(); !s.ok()) return s;
  return producer;
}

KafkaProducer::~KafkaProducer() {
  CloseClient();
}

std::string KafkaProducer::Who() const {
  return transactional() ? "the producer " + options_.transactional_id : "the producer";
}

Status KafkaProducer::OpenClient() {
  KafkaClient::Hooks hooks;
  hooks.undelivered = [this](const rd_kafka_message_t& message) {
    const char* topic = message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt);
    // Not rd_kafka_message_errstr: of a produced record it returns the payload.
    NoteUndelivered(message.err, topic, message.partition, ErrorText(message.err));
  };
  Result<std::unique_ptr<KafkaClient>> client = KafkaClient::Open(
      KafkaClient::Kind::kProducer, transactional() ? options_.transactional_id : "producer",
      admin_->options(), Defaults(), FixedFor(options_, admin_->limits()), std::move(hooks));
  if (!client.ok()) return client.status();
  client_ = std::move(*client);
  return {};
}

void KafkaProducer::CloseClient() {
  if (!client_) return;
  for (const auto& [name, topic] : topics_)
    rd_kafka_topic_destroy(topic.handle);
  topics_.clear();
  if (transactional()) {
    // librdkafka 2.0.2 ends the process (an assertion on its count of requests) when it is destroyed before
    // the answer to AddPartitionsToTxn is there. What is written by then belongs to a transaction nobody
    // commits.
    client_->Destroy(kFlushedWithin, 2 * options_.transaction_timeout);
  } else {
    // Nothing that is still queued may go out any more: what is not flushed by now was given up.
    rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }
  client_.reset();
}

Status KafkaProducer::Init() {
  if (!transactional()) return Internal("a plain producer has no transactional id to take");
  if (!over_.ok()) return over_;
  if (open_) return Internal("Init within a transaction");
  return TakeId(admin_->options().patience);
}

// Repeated by us: librdkafka gives a call up when its time is over, and the next goes on where it stopped.
Status KafkaProducer::TakeId(Duration limit) {
  const Deadline deadline(limit);
  while (true) {
    const KafkaOutcome outcome =
        Take(rd_kafka_init_transactions(client_->handle(), deadline.left_ms(10 * kSecond)));
    if (outcome.ok()) break;
    if (outcome.code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) {
      return over_ = Invalid(
                 Who() + " asks for transactions of " + FormatDuration(options_.transaction_timeout) +
                 ", five commit intervals, and the broker allows less: set a shorter `commit.interval`, or "
                 "raise transaction.max.timeout.ms on the brokers");
    }
    if (outcome.fatal || IsFencing(outcome.code)) {
      return over_ = {Code::kFenced, Who() + " cannot start: " + outcome.text};
    }
    if (!outcome.retriable && !IsTransient(outcome.code)) {
      return ToStatus(outcome.code, Who() + " cannot start (" + outcome.text + ")",
                      admin_->options().brokers);
    }
    if (deadline.passed()) {
      const std::string failure = client_->last_failure();
      return Unreachable(admin_->options().brokers,
                         Who() + ": " + (failure.empty() ? outcome.text : failure));
    }
  }
  ready_ = true;
  renew_ = false;
  unfit_ = {};
  return {};
}

Status KafkaProducer::Begin() {
  if (!transactional() || !ready_) return Internal("Begin before Init");
  if (!over_.ok()) return over_;
  if (open_) return Internal("Begin within a transaction");
  // The answer to a commit that was slow may mean that a request to end it is still on its way, and before
  // Kafka 4 nothing keeps that from ending the next transaction instead. A new epoch of the producer does.
  if (renew_) {
    if (Status s = Replace(admin_->options().patience); !s.ok()) return s;
  }
  const KafkaOutcome outcome = Take(rd_kafka_begin_transaction(client_->handle()));
  if (!outcome.ok()) {
    const bool fenced = outcome.fatal || IsFencing(outcome.code);
    const Status why{fenced ? Code::kFenced : InTransaction(outcome.code),
                     Who() + " cannot begin: " + outcome.text + std::string(RemedyFor(outcome.code))};
    if (fenced) over_ = why;
    return why;
  }
  open_ = true;
  unfit_ = {};
  begun_ = SteadyNow();
  return {};
}

// Another instance takes the id over. What this one left open is aborted.
Status KafkaProducer::Replace(Duration limit) {
  CloseClient();
  if (Status s = OpenClient(); !s.ok()) return s;
  return TakeId(limit);
}

void KafkaProducer::NoteUndelivered(int code, std::string_view topic, int32_t partition,
                                    std::string_view text) {
  if (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || !unfit_.ok())
    return;
  std::string what = "a record for " + TextOf({std::string(topic), partition}) +
                     " was not written: " + std::string(text) + std::string(RemedyFor(code));
  const Code plain = IsFencing(code)                         ? Code::kFenced
                     : IsRefused(code) || IsUnwritable(code) ? Code::kInvalid
                                                             : Code::kUnreachable;
  unfit_ = {transactional() ? InTransaction(code) : plain, std::move(what)};
  if (IsFencing(code)) over_ = unfit_;
  // librdkafka 2.0.2 raises its epoch on the way out of such a transaction, and while it does so the next one
  // fails with "erroneous state".
  renew_ = transactional();
}

// Of a transaction nothing is kept then; outside of one the others go on.
Status KafkaProducer::Refuse(Status why) {
  if (transactional() && unfit_.ok()) unfit_ = why;
  return why;
}

Result<const KafkaProducer::Topic*> KafkaProducer::TopicOf(std::string_view name) {
  if (const auto found = topics_.find(name); found != topics_.end()) return &found->second;
  const std::string text(name);
  // Asked by the log's own client: a producer that asks for a topic creates it, where brokers allow that.
  Result<TopicInfo> known = admin_->Known(text);
  if (!known.ok()) return known.status();
  rd_kafka_topic_conf_t* conf = nullptr;
  const auto set = [](const auto& setting) { return setting.first.starts_with("compression."); };
  const KafkaSettings& user = admin_->options().settings;
  if (known->compacted && std::none_of(user.begin(), user.end(), set)) {
    // What is compacted is written once and read at every restart.
    conf = rd_kafka_default_topic_conf_dup(client_->handle());
    rd_kafka_topic_conf_set(conf, "compression.codec", "lz4", nullptr, 0);
  }
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client_->handle(), text.c_str(), conf);
  if (topic == nullptr) return Invalid("`" + text + "` is no name of a topic");
  const Topic* made = &topics_.emplace(text, Topic{topic, *known}).first->second;
  if (Status s = Warm(text, known->partitions, topic); !s.ok()) return s;
  return made;
}

// The first record to a topic may wait a second for the client to learn where its partitions are: it is asked
// now.
Status KafkaProducer::Warm(const std::string& name, int32_t partitions, rd_kafka_topic_s* topic) {
  const Deadline deadline(kWarmingAtMost);
  while (!deadline.passed()) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const int code = rd_kafka_metadata(client_->handle(), 0, topic, &metadata, deadline.left_ms(2 * kSecond));
    const bool known = code == 0 && metadata->topic_cnt == 1 && metadata->topics[0].err == 0 &&
                       metadata->topics[0].partition_cnt >= partitions;
    if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
    if (known) return {};
    if (code != 0 && !IsTransient(code)) return ToStatus(code, "topic " + name, admin_->options().brokers);
    rd_kafka_poll(client_->handle(), 20);
  }
  return {};  // the record waits in the queue until the broker is back
}

Status KafkaProducer::Send(const OutgoingRecord& record) {
  if (transactional() && !open_) return Internal("Send outside a transaction");
  if (transactional() && !unfit_.ok()) return unfit_;
  if (++sends_ % kSendsBetweenPolls == 0) rd_kafka_poll(client_->handle(), 0);
  // A negative partition would leave the choice to librdkafka.
  if (record.partition < 0) return Refuse(RefuseProduce(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, record));
  Result<const Topic*> topic = TopicOf(record.topic);
  if (!topic.ok()) return Refuse(topic.status());
  // The broker would refuse the whole batch, and with it records that are well.
  if (SizeOf(record) > (*topic)->info.max_record_bytes) {
    return Refuse(RefuseProduce(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, record));
  }
  return SendTo((*topic)->handle, record);
}

Status KafkaProducer::SendTo(rd_kafka_topic_s* topic, const OutgoingRecord& record) {
  // librdkafka's 0 means "now" and brokers refuse what is below, so the first millisecond of 1970 is the
  // earliest.
  const int64_t milliseconds = std::max<int64_t>(1, FloorTo(record.timestamp, kMillisecond) / kMillisecond);
  const auto bytes = [](std::string_view view) {
    static char empty = 0;  // null would mean absent
    return view.data() == nullptr ? &empty : const_cast<char*>(view.data());
  };
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const Header& h : record.headers)
      rd_kafka_header_add(headers, bytes(h.key), static_cast<ssize_t>(h.key.size()), bytes(h.value),
                          static_cast<ssize_t>(h.value.size()));
  }
  std::array<rd_kafka_vu_t, 7> parts{};
  size_t count = 0;
  const auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[count].vtype = type;
    return parts[count++];
  };
  add(RD_KAFKA_VTYPE_RKT).u.rkt = topic;
  add(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition;
  add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = milliseconds;
  add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  if (record.key) add(RD_KAFKA_VTYPE_KEY).u.mem = {bytes(*record.key), record.key->size()};
  if (record.value) add(RD_KAFKA_VTYPE_VALUE).u.mem = {bytes(*record.value), record.value->size()};
  if (headers != nullptr) add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
  const Deadline deadline(options_.transaction_timeout);
  while (true) {
    const KafkaOutcome outcome = Take(rd_kafka_produceva(client_->handle(), parts.data(), count));
    if (outcome.ok()) return {};  // the headers are librdkafka's now
    const bool full = outcome.code == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    if (full && unfit_.ok() && !deadline.passed()) {
      rd_kafka_poll(client_->handle(), deadline.left_ms(50 * kMillisecond));
      continue;
    }
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    return Refuse(full && !unfit_.ok() ? unfit_ : RefuseProduce(outcome.code, record));
  }
}

Status KafkaProducer::RefuseProduce(int code, const OutgoingRecord& record) {
  const std::string where = TextOf({std::string(record.topic), record.partition});
  const Code refused = transactional() ? InTransaction(code) : Code::kInvalid;
  if (code == RD_KAFKA_RESP_ERR__STATE && open_) return WhyClosed();
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return {refused, "a record of " + std::to_string(SizeOf(record)) + " bytes is too large for " + where +
                         std::string(RemedyFor(code))};
  }
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    const std::string failure = client_->last_failure();
    const std::string why = "no record was taken for " + FormatDuration(options_.transaction_timeout) +
                            (failure.empty() ? "" : " (" + failure + ")");
    if (transactional()) return {Code::kAborted, Who() + ": " + why};
    return Unreachable(admin_->options().brokers, why);
  }
  if (IsMissing(code))
    return {Code::kNotFound, "there is no " + where + "; correct the topic or its partitions"};
  if (code == RD_KAFKA_RESP_ERR__FATAL || IsFencing(code)) {
    return over_ = {Code::kFenced, Who() + ": " + client_->fatal().value_or("")};
  }
  return {refused, "writing to " + where + ": " + ErrorText(code) + std::string(RemedyFor(code))};
}

Status KafkaProducer::Flush(Duration limit) {
  if (transactional()) return Internal("Flush of a transactional producer; Commit flushes");
  const int code = rd_kafka_flush(client_->handle(), Deadline(limit).left_ms());
  if (!unfit_.ok()) return std::exchange(unfit_, {});
  if (code == 0) return {};
  const std::string failure = client_->last_failure();
  return Unreachable(admin_->options().brokers, "what was sent is not all written after " +
                                                    FormatDuration(limit) +
                                                    (failure.empty() ? "" : " (" + failure + ")"));
}

}  // namespace freshet
