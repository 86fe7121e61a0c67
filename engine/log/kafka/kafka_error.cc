#include "engine/log/kafka/kafka_error.h"

#include <librdkafka/rdkafka.h>

namespace freshet {

KafkaOutcome Take(rd_kafka_error_s* error) {
  if (error == nullptr) return {};
  KafkaOutcome outcome;
  outcome.code = rd_kafka_error_code(error);
  outcome.retriable = rd_kafka_error_is_retriable(error) != 0;
  outcome.fatal = rd_kafka_error_is_fatal(error) != 0;
  outcome.abortable = rd_kafka_error_txn_requires_abort(error) != 0;
  outcome.text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return outcome;
}

std::string ErrorText(int code) {
  return rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code));
}

bool IsTransient(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__NODE_UPDATE:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
      return true;
    default:
      return false;
  }
}

bool IsMissing(int code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

bool IsRefused(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
      return true;
    default:
      return false;
  }
}

bool IsUnwritable(int code) {
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
}

Code InTransaction(int code) {
  if (IsFencing(code)) return Code::kFenced;
  // A compacted topic refuses every record of a writer without keys, so none of them is to blame.
  if (IsRefused(code) || code == RD_KAFKA_RESP_ERR_INVALID_RECORD) return Code::kInvalid;
  return IsUnwritable(code) ? Code::kUnwritable : Code::kAborted;
}

std::string_view RemedyFor(int code) {
  if (IsRefused(code)) return "; grant it to this user on the broker";
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "; raise the topic's max.message.bytes, or keep its records smaller";
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return "; let the topic take records of any time (message.timestamp.difference.max.ms)";
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return "; a compacted topic takes no record without a key";
    default:
      return "";
  }
}

bool IsFencing(int code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH || code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING;
}

Status ToStatus(int code, std::string_view what, std::string_view brokers) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const std::string subject(what);
  const std::string text = ErrorText(code);
  if (IsTransient(code)) return Unreachable(brokers, subject + ": " + text);
  if (IsMissing(code)) {
    return {Code::kNotFound, subject + ": " + text + "; create the topic, or correct its name"};
  }
  if (IsRefused(code)) {
    return {Code::kInvalid, subject + ": " + text + std::string(RemedyFor(code))};
  }
  if (IsFencing(code)) return {Code::kFenced, subject + ": " + text};
  return {Code::kInvalid, subject + ": " + text + " (broker " + std::string(brokers) + ")"};
}

Status Unreachable(std::string_view brokers, std::string_view why) {
  return {Code::kUnreachable,
          "cannot reach " + std::string(brokers) + ": " + std::string(why) +
              "; is the broker up, and does it advertise an address this machine can reach?"};
}

}  // namespace freshet
