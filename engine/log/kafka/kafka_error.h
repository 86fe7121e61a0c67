#pragma once
// librdkafka's errors as values of ours. Any thread.
#include <string>
#include <string_view>

#include "engine/base/status.h"

struct rd_kafka_error_s;

namespace freshet {

// What a call of librdkafka came to. `code` is a rd_kafka_resp_err_t, 0 for success.
struct KafkaOutcome {
  int code = 0;
  bool retriable = false;  // the same call, repeated, goes on where this one stopped
  bool fatal = false;      // the client instance is of no more use
  bool abortable = false;  // the transaction is to be aborted
  std::string text;
  bool ok() const { return code == 0; }
};

// Takes what the call returned and frees it.
KafkaOutcome Take(rd_kafka_error_s* error);

std::string ErrorText(int code);
// Goes away by itself once a broker, a leader or a coordinator is there again.
bool IsTransient(int code);
bool IsMissing(int code);  // no such topic or partition
bool IsRefused(int code);  // the broker does not allow it
// It does not take the record itself, whoever sends it and when: its size, its time.
bool IsUnwritable(int code);
bool IsFencing(int code);  // another client took over the identity
// Of the same kinds, for what is part of a transaction: what must become of it.
Code InTransaction(int code);
// What to do about an error, to follow its text: "; grant …". Empty where nothing is known.
std::string_view RemedyFor(int code);
// For calls that are no part of a transaction: the code that fits, and what to do about it.
Status ToStatus(int code, std::string_view what, std::string_view brokers);
Status Unreachable(std::string_view brokers, std::string_view why);

}  // namespace freshet
