// How a transaction of KafkaProducer ends.
#include <algorithm>

#include <librdkafka/rdkafka.h>

#include "engine/base/logging.h"
#include "engine/log/kafka/kafka_producer.h"

namespace freshet {
namespace {

constexpr Duration kFlushBeforeAbort = kSecond;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};

}  // namespace

Status KafkaProducer::Commit(std::span<const PartitionOffset> positions, Consumer& consumer) {
  if (!open_) return Internal("Commit outside a transaction");
  // Without a position the broker is not asked whether this process is still a member, and a zombie would get
  // through.
  if (positions.empty()) return Internal("Commit without a position");
  auto* const kafka = dynamic_cast<KafkaConsumer*>(&consumer);
  if (kafka == nullptr) return Internal("Commit with a consumer of another log");
  rd_kafka_poll(client_->handle(), 0);
  if (!unfit_.ok()) return unfit_;
  // Taken now: any rebalance raises the generation, so what was true when the transaction began would be
  // refused.
  Result<GroupMetadata> metadata = kafka->MetadataFor(begun_);
  if (!metadata.ok()) return Refuse(metadata.status());
  if (Status s = SendPositions(positions, *metadata); !s.ok()) return s;
  return EndTransaction();
}

// By the user's rights. What the broker did not add to the transaction leaves it nothing to abort, which it
// would call an invalid state: the next one begins with another instance.
Status KafkaProducer::Refused(std::string_view what, const KafkaOutcome& outcome) {
  renew_ = true;
  return Refuse({Code::kInvalid, Who() + " " + std::string(what) + ": " + outcome.text +
                                     std::string(RemedyFor(outcome.code))});
}

// librdkafka takes no more records when the transaction has failed, and says why only where it is asked to go
// on with it. Positions are the one thing to ask with that can do no harm: the transaction is to be aborted
// anyway.
Status KafkaProducer::WhyClosed() {
  const std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter> list(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), "none", 0)->offset = 0;
  const GroupMetadata group(rd_kafka_consumer_group_metadata_new(options_.transactional_id.c_str()));
  const KafkaOutcome outcome =
      Take(rd_kafka_send_offsets_to_transaction(client_->handle(), list.get(), group.get(), 1000));
  rd_kafka_poll(client_->handle(), 0);
  renew_ = true;  // as above: partitions may not have been added
  if (!unfit_.ok()) return unfit_;
  const std::string what = "takes no more records in this transaction";
  if (IsRefused(outcome.code)) return Refused(what, outcome);
  if (outcome.fatal) return over_ = {Code::kFenced, Who() + " " + what + ": " + outcome.text};
  return {InTransaction(outcome.code),
          Who() + " " + what + ": " + outcome.text + std::string(RemedyFor(outcome.code))};
}

// Until these are with the broker nothing can have been committed, whatever goes wrong.
Status KafkaProducer::SendPositions(std::span<const PartitionOffset> positions,
                                    const GroupMetadata& metadata) {
  const std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const PartitionOffset& p : positions)
    rd_kafka_topic_partition_list_add(list.get(), p.id.topic.c_str(), p.id.partition)->offset = p.offset;
  const Deadline deadline(options_.transaction_timeout);
  while (true) {
    const KafkaOutcome outcome = Take(rd_kafka_send_offsets_to_transaction(
        client_->handle(), list.get(), metadata.get(), deadline.left_ms()));
    if (outcome.ok()) return {};
    if (outcome.retriable && !outcome.abortable && !outcome.fatal && !deadline.passed()) continue;
    rd_kafka_poll(client_->handle(), 0);  // a record that failed says more than the state it left behind
    if (IsRefused(outcome.code)) return Refused("could not send its positions", outcome);
    if (outcome.fatal || IsFencing(outcome.code)) {
      const Status fenced{Code::kFenced, Who() + ": " + outcome.text};
      if (outcome.fatal) over_ = fenced;  // else it is the member that was fenced
      return Refuse(fenced);
    }
    if (!unfit_.ok()) return unfit_;
    if (!outcome.abortable) renew_ = true;  // it may be answered yet
    return Refuse({InTransaction(outcome.code), Who() + " could not send its positions: " + outcome.text});
  }
}

// Repeated until the transaction's time-out: after it the broker ends the transaction itself.
Status KafkaProducer::EndTransaction() {
  const Deadline deadline(options_.transaction_timeout);
  const Duration start = SteadyNow();
  for (int tries = 1;; ++tries) {
    const KafkaOutcome outcome = Take(rd_kafka_commit_transaction(client_->handle(), deadline.left_ms()));
    if (outcome.ok()) {
      open_ = false;
      renew_ = tries > 1 || SteadyNow() - start > options_.transaction_timeout / 4;
      return {};
    }
    if (outcome.retriable && !outcome.fatal && !outcome.abortable && !deadline.passed()) continue;
    if (outcome.abortable) rd_kafka_poll(client_->handle(), 0);  // for the record that failed, as above
    if (outcome.abortable && IsRefused(outcome.code) && unfit_.ok())
      return Refused("could not commit", outcome);
    if (outcome.abortable && !outcome.fatal) {
      return Refuse(!unfit_.ok() ? unfit_ : Status(InTransaction(outcome.code), Who() + ": " + outcome.text));
    }
    // Also where we were fenced: librdkafka repeats the request by itself when a connection breaks, and the
    // first one may have been heard.
    open_ = false;
    return over_ = {Code::kInDoubt, Who() + " has no answer to its commit: " + outcome.text};
  }
}

// An abort that overtakes AddPartitionsToTxn has the broker refuse it as an invalid state, which librdkafka
// takes for fatal. All records written means all partitions are added; where that does not come soon, or a
// record failed, another instance takes the id instead, and the broker ends what the first left open.
Status KafkaProducer::Abort() {
  if (!open_) return Internal("Abort outside a transaction");
  open_ = false;
  unfit_ = {};
  if (!over_.ok()) return {};  // the broker aborts what a fenced producer left, or has
  const Deadline deadline(options_.transaction_timeout);
  const bool written = !renew_ && rd_kafka_flush(client_->handle(), deadline.left_ms(kFlushBeforeAbort)) == 0;
  const Status aborted = written && !renew_ ? AbortInPlace(deadline) : Replace(deadline.left());
  unfit_ = {};  // what the abort purged
  if (aborted.ok() || !over_.ok()) return aborted;
  return over_ = {aborted.code() == Code::kFenced ? Code::kFenced : Code::kInDoubt, aborted.message()};
}

Status KafkaProducer::AbortInPlace(const Deadline& deadline) {
  while (true) {
    const KafkaOutcome outcome = Take(rd_kafka_abort_transaction(client_->handle(), deadline.left_ms()));
    if (outcome.ok()) return {};
    if (outcome.retriable && !outcome.fatal && !deadline.passed()) continue;
    const bool fenced = outcome.fatal || IsFencing(outcome.code);
    return {fenced ? Code::kFenced : Code::kInDoubt, Who() + " has no answer to its abort: " + outcome.text};
  }
}

}  // namespace freshet
