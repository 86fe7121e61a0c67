#pragma once
// Writes what could not be processed to the job's dead-letter topic, in the same transaction as everything
// else: the record's own bytes, and in headers why (`reason`, `detail`), by whom (`operator`) and where it
// came from (`topic`, `partition`, `offset`). Counts by reason. One thread.
//
// Always: letters go out in the order of the source rows that caused them, so neither shards nor batches
// show.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/format/format.h"
#include "engine/metrics/counter.h"
#include "engine/runtime/outbound.h"

namespace freshet {

struct Reject;

// A row that an operator refused.
struct RefusedRow {
  const Schema* schema = nullptr;
  const Batch* batch = nullptr;
  size_t row = 0;
  std::string_view op;
  std::string_view reason;
  std::string_view detail;
};
struct RefusedOutput {
  std::string_view sink;
  std::string_view reason;
  std::string detail;
  const OutgoingRecord* record = nullptr;
  uint32_t ordinal = 0;  // of its row
};

class DeadLetters {
 public:
  // Of the source record that brought the row of an ordinal of the present batch; absent for rows of timers.
  using OriginOf = std::function<std::optional<PartitionOffset>(uint32_t ordinal)>;

  // `counters` outlives this: it counts as dead_letters{reason="…"}.
  DeadLetters(std::string topic, int64_t max_record_bytes, OriginOf origin_of,
              std::map<std::string, Counter, std::less<>>& counters)
      : topic_(std::move(topic)),
        limit_(max_record_bytes),
        origin_of_(std::move(origin_of)),
        counters_(counters) {}

  // Each keeps a letter until Flush. `ordinal`: of the source row that caused it, or that comes after it.
  void Add(const Reject& reject, const PartitionId& origin, uint32_t ordinal);
  void Add(const RefusedRow& row);
  // A row whose output record cannot be written.
  void Add(const RefusedOutput& output);
  // Sends what was added; after each batch and each timer.
  Status Flush(Outbound& out);

 private:
  struct Letter {
    uint32_t ordinal = 0;
    std::string reason, detail, op, value;
    std::optional<std::string> key;
    Time timestamp = 0;
    std::optional<PartitionOffset> origin;
    bool truncated = false;
  };
  Status Send(const Letter& letter, Outbound& out);
  void Keep(Letter letter);
  size_t Room(size_t key_bytes) const;  // for the value

  std::string topic_;
  int64_t limit_;
  OriginOf origin_of_;
  std::map<std::string, Counter, std::less<>>& counters_;
  std::map<const Schema*, std::unique_ptr<Encoder>> encoders_;
  std::vector<Letter> letters_;
};

}  // namespace freshet
