#pragma once
// Writes what could not be processed to the job's dead-letter topic, in the same transaction as everything
// else: the record's own bytes, and in headers why (`reason`, `detail`), by whom (`operator`) and where it
// came from (`topic`, `partition`, `offset`). Counts by reason. One thread.
#include <cstdint>
#include <map>
#include <string>

#include "engine/format/format.h"
#include "engine/runtime/outbound.h"
#include "engine/runtime/task.h"

namespace freshet {

struct Reject;

class DeadLetters {
 public:
  // `counters` outlives this: it counts as dead_letters{reason="…"}.
  DeadLetters(std::string topic, int64_t max_record_bytes,
              std::map<std::string, Counter, std::less<>>& counters)
      : topic_(std::move(topic)), limit_(max_record_bytes), counters_(counters) {}

  Status Write(const Reject& reject, const PartitionId& origin, Outbound& out);
  Status Write(const RefusedRow& row, const PartitionId& origin, int64_t offset, Outbound& out);
  // A row whose output record was too large for its topic.
  Status WriteTooLarge(std::string_view sink, std::string_view key, std::string_view value, Time timestamp,
                       Outbound& out);

 private:
  struct Letter {
    std::string_view reason, detail, op, key, value;
    bool has_key = false;
    Time timestamp = 0;
    const PartitionId* origin = nullptr;
    int64_t offset = 0;
  };
  Status Send(const Letter& letter, Outbound& out);

  std::string topic_;
  int64_t limit_;
  std::map<std::string, Counter, std::less<>>& counters_;
  std::map<const Schema*, std::unique_ptr<Encoder>> encoders_;
};

}  // namespace freshet
