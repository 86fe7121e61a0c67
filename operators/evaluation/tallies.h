#pragma once
// The sums and probabilities of the examples of one series (a model or baseline) in one span of time, kept in
// tables. A tally keeps its probabilities (steps of 2^-16) as a log in chunks; where the log grows past
// kLongestLog they go into a histogram. So an example changes few bytes of state, however long the span. One
// thread.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "operators/evaluation/metrics.h"
#include "state/table.h"

namespace freshet {

struct SeriesTally {
  Sums sums;
  uint32_t logged[2] = {};  // by label: how many in the log
  uint8_t compacted = 0;    // there is a histogram
  uint8_t closed = 0;       // of a bucket: what came since is in the other spans already
  uint8_t unused[6] = {};
};

enum class SpanKind : uint8_t { kRun, kBucket, kMonth };

class Tallies {
 public:
  Tallies(RawTable& tallies, RawTable& steps) : tallies_(tallies), steps_(&steps) {}
  static std::vector<TableSpec> Tables(uint32_t layout);

  // A tally's place. `series`: order-preserving bytes. `start` is 0 for kRun.
  static std::string Key(std::string_view series, SpanKind kind, Time start);

  // Whether it is there and not closed; whether it is there and closed.
  Status IsOpen(std::string_view key, bool& is_open);
  Status IsClosed(std::string_view key, bool& is_closed);
  Status SetClosed(std::string_view key);
  // Adds examples, in their order; whether the tally is new.
  Status Add(std::string_view key, std::span<const Scored> examples, bool& is_new);
  // Adds all of tally `from`, if it is there.
  Status Merge(std::string_view from, std::string_view into);
  // Adds a tally's sums to `sums`.
  Status AddSums(std::string_view key, Sums& sums);
  // Adds a tally's probabilities to `histogram`, or takes them away from it.
  Status Apply(Histogram::Change change, std::string_view key, Histogram& histogram);
  Status Erase(std::string_view key);

 private:
  static constexpr uint32_t kChunk = 256;            // steps
  static constexpr uint32_t kLongestLog = 1U << 16;  // steps of a label
  static constexpr size_t kBlock = 1024;             // counts of a histogram in one row

  Status AppendSteps(std::string_view key, bool label, std::span<const uint16_t> steps, SeriesTally& tally);
  Status VisitSteps(std::string_view key, const SeriesTally& tally,
                    const std::function<Status(bool label, std::span<const uint16_t> steps)>& visit);
  Status VisitBlocks(std::string_view key,
                     const std::function<Status(bool label, size_t first, std::span<const uint64_t>)>& visit);
  Status AddBlock(std::string_view key, bool label, size_t first, std::span<const uint64_t> counts);
  Status Compact(std::string_view key, SeriesTally& tally);
  Status EraseLog(std::string_view key, const SeriesTally& tally);
  std::string_view RowKey(std::string_view key, char kind, bool label, uint32_t number);

  Table<SeriesTally> tallies_;
  RawTable* steps_;
  std::string row_key_;
  std::vector<uint16_t> copied_, steps_of_[2];  // scratch
};

}  // namespace freshet
