#include "engine/log/kafka/kafka_reader.h"

#include <algorithm>
#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include "engine/base/logging.h"
#include "engine/log/kafka/kafka_client.h"
#include "engine/log/kafka/kafka_error.h"

namespace freshet {
namespace {

// How long a topic may be unknown: a broker that comes back needs a moment before it knows its topics again.
constexpr Duration kMissingFor = 30 * kSecond;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};

}  // namespace

KafkaReader::KafkaReader(rd_kafka_s* handle, PartitionId id, int64_t offset, int64_t end, KafkaRouser& rouser,
                         const KafkaReaderOptions& options)
    : handle_(handle), id_(std::move(id)), next_(offset), end_(end), rouser_(&rouser), options_(options) {
  queue_ = rd_kafka_queue_get_partition(handle_, id_.topic.c_str(), id_.partition);
  // Before the assignment, or its first records would go to the consumer's common queue.
  rd_kafka_queue_forward(queue_, nullptr);
  const uint64_t one = 1;
  rd_kafka_queue_io_event_enable(queue_, options_.event, &one, sizeof one);
}

KafkaReader::~KafkaReader() {
  [[maybe_unused]] const Status stopped = Stop();  // the partition goes with the instance
}

Status KafkaReader::Start() {
  const std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter> list(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), id_.topic.c_str(), id_.partition)->offset = next_;
  if (const KafkaOutcome outcome = Take(rd_kafka_incremental_assign(handle_, list.get())); !outcome.ok()) {
    return Status(outcome.fatal ? Code::kFenced : Code::kInternal,
                  "assigning " + TextOf(id_) + ": " + outcome.text);
  }
  assigned_ = true;
  return {};
}

Status KafkaReader::Stop() {
  if (queue_ == nullptr) return {};
  Drop();
  rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
  Status status;
  if (assigned_) {
    const std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter> list(
        rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), id_.topic.c_str(), id_.partition);
    const KafkaOutcome outcome = Take(rd_kafka_incremental_unassign(handle_, list.get()));
    if (!outcome.ok()) status = Internal("releasing " + TextOf(id_) + ": " + outcome.text);
    assigned_ = false;
  }
  while (rd_kafka_message_t* message = rd_kafka_consume_queue(queue_, 0))
    rd_kafka_message_destroy(message);
  rd_kafka_queue_destroy(queue_);
  queue_ = nullptr;
  return status;
}

void KafkaReader::Drop() {
  if (current_ != nullptr) rd_kafka_message_destroy(current_);
  current_ = nullptr;
}

// Singly: rd_kafka_consume_batch_queue of librdkafka 2.0.2 loses records around seeks and rebalances.
Result<const RecordView*> KafkaReader::Next() {
  Drop();
  while (rd_kafka_message_t* message = rd_kafka_consume_queue(queue_, 0)) {
    current_ = message;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Status status = TakeError(*message);
      Drop();
      if (!status.ok()) return status;
      continue;
    }
    if (message->offset < next_) {
      Drop();
      continue;
    }
    View(*message);
    next_ = message->offset + 1;
    at_end_ = drained_ = false;
    if (taken_.records++ == 0) broker_ = rd_kafka_message_broker_id(message);
    taken_.bytes += static_cast<int64_t>(message->len + message->key_len);
    quiet_since_ = 0;
    missing_since_.reset();
    return &record_;
  }
  drained_ = true;
  if (!at_end_) end_ = std::max(end_, FetchedEnd());
  if (!at_end_) Rouse();
  if (missing_since_) {
    if (Status s = CheckMissing(); !s.ok()) return s;
  }
  return nullptr;
}

void KafkaReader::View(rd_kafka_message_s& message) {
  record_.offset = message.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t milliseconds = rd_kafka_message_timestamp(&message, &type);
  record_.timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : milliseconds * kMillisecond;
  record_.key.reset();
  record_.value.reset();
  if (message.key != nullptr) record_.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    record_.value.emplace(static_cast<const char*>(message.payload), message.len);
  if (options_.headers) ViewHeaders(message);
}

void KafkaReader::ViewHeaders(rd_kafka_message_s& message) {
  headers_.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i)
      headers_.push_back({name, {static_cast<const char*>(value), value == nullptr ? 0 : size}});
  }
  record_.headers = headers_;
}

Status KafkaReader::TakeError(const rd_kafka_message_s& message) {
  const int code = message.err;
  const std::string text = rd_kafka_message_errstr(&message);
  if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    // Its own offset is past commit markers and aborted tails, which occupy offsets but deliver nothing.
    next_ = std::max(next_, message.offset);
    at_end_ = true;
    end_ = next_;
    missing_since_.reset();
    return {};
  }
  if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return {Code::kNotFound,
            TextOf(id_) + " no longer has offset " + std::to_string(next_) +
                ": the records were deleted by the topic's retention, or the topic was made anew; "
                "restore them, or start the job without its state"};
  }
  if (IsMissing(code)) {
    if (!missing_since_) missing_since_ = SteadyNow();
    return {};
  }
  if (IsRefused(code)) return ToStatus(code, "reading " + TextOf(id_), "");
  if (code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
      code == RD_KAFKA_RESP_ERR_INVALID_MSG) {
    return {Code::kCorrupt, TextOf(id_) + " at offset " + std::to_string(next_) + " cannot be read: " + text};
  }
  if (code == RD_KAFKA_RESP_ERR__FATAL) return {Code::kFenced, "reading " + TextOf(id_) + ": " + text};
  LogWarning("reading " + TextOf(id_) + ": " + text);  // librdkafka goes on by itself
  return {};
}

Status KafkaReader::CheckMissing() {
  if (SteadyNow() - *missing_since_ < kMissingFor) return {};
  return {Code::kNotFound,
          TextOf(id_) + " is gone from the broker; create the topic again, or correct its name"};
}

// A partition whose queue was full when librdkafka last looked is not fetched again for a whole second,
// unless something else wakes the thread of its broker (fetch.queue.backoff.ms mends that, from 2.2.0 on).
// Any request does, so one is made when the queue has run empty below a known end and was full before, or
// nothing has come for a while. What it brings is at hand later: the event tells. Where no record ever came
// the queue was never full.
void KafkaReader::Rouse() {
  constexpr Duration kQuiet = 50 * kMillisecond;
  const bool was_full =
      taken_.records >= options_.limits.records / 2 || taken_.bytes >= options_.limits.bytes / 2;
  const Duration now = SteadyNow();
  if (quiet_since_ == 0) quiet_since_ = now;
  taken_ = {};
  if (broker_ < 0) return;
  if (!was_full && (next_ >= end_ || now - quiet_since_ < kQuiet)) return;
  quiet_since_ = now;
  rouser_->Rouse(broker_, id_.topic);
}

// Where Next last found nothing, as of then. Where it gave a record there may be more, and others must wait
// for those as well.
bool KafkaReader::has_known_lag() const {
  return !at_end_ && next_ < end_seen();
}

int64_t KafkaReader::end_seen() const {
  return at_end_ || drained_ ? end_ : std::max(end_, FetchedEnd());
}

// The cached mark is that of the last fetch answer, and the high watermark also where committed records only
// are read. So an open transaction shows as lag for the one fetch until PARTITION_EOF comes, which fires at
// the last stable offset and says that this is the end.
int64_t KafkaReader::FetchedEnd() const {
  int64_t low = 0;
  int64_t high = RD_KAFKA_OFFSET_INVALID;
  const auto code = rd_kafka_get_watermark_offsets(handle_, id_.topic.c_str(), id_.partition, &low, &high);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1;
}

bool KafkaReader::wants_call() const {
  return drained_ && rd_kafka_queue_length(queue_) > 0;
}

}  // namespace freshet
