#pragma once
// The sums and probabilities of the examples of one series (a model or baseline) in one span of time, kept in
// tables. A tally keeps its probabilities (steps of 2^-16) as a log in chunks; where the log grows past
// kLongestLog they go into a histogram. So an example changes few bytes of state, however long the span. One
// thread.
#include <cstdint>
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

// Which tally. `series`: order-preserving bytes, of whoever asks. `start` is 0 for kRun.
struct TallyId {
  std::string_view series;
  SpanKind kind = SpanKind::kRun;
  Time start = 0;
};

class Tallies {
 public:
  Tallies(RawTable& tallies, RawTable& steps) : tallies_(tallies), steps_(&steps) {}
  static std::vector<TableSpec> Tables(uint32_t layout);

  // Whether it is there and not closed; whether it is there and closed.
  Status IsOpen(const TallyId& id, bool& is_open);
  Status IsClosed(const TallyId& id, bool& is_closed);
  Status SetClosed(const TallyId& id);
  // Adds examples, in their order; whether the tally is new.
  Status Add(const TallyId& id, std::span<const Scored> examples, bool& is_new);
  // Adds all of one tally to another, if it is there.
  Status Merge(const TallyId& from_id, const TallyId& into_id);
  // Adds a tally's sums to `sums`.
  Status AddSums(const TallyId& id, Sums& sums);
  // Adds a tally's probabilities to `histogram`, or takes them away from it.
  Status Apply(Histogram::Change change, const TallyId& id, Histogram& histogram);
  Status Erase(const TallyId& id);

 private:
  static constexpr uint32_t kChunk = 256;            // steps
  static constexpr uint32_t kLongestLog = 1U << 16;  // steps of a label
  static constexpr size_t kBlock = 1024;             // counts of a histogram in one row

  Status AppendSteps(std::string_view key, bool label, std::span<const uint16_t> steps, SeriesTally& tally);
  // visit(label, steps); visit(label, first step, counts).
  template <class Visit>
  Status VisitSteps(std::string_view key, const SeriesTally& tally, Visit visit);
  template <class Visit>
  Status VisitBlocks(std::string_view key, Visit visit);
  Status AddBlock(std::string_view key, bool label, size_t first, std::span<const uint64_t> counts);
  Status Compact(std::string_view key, SeriesTally& tally);
  Status EraseLog(std::string_view key, const SeriesTally& tally);
  static std::string_view KeyOf(const TallyId& id, std::string& key);
  std::string_view RowKey(std::string_view key, char kind, bool label, uint32_t number);

  Table<SeriesTally> tallies_;
  RawTable* steps_;
  std::string key_, into_key_, row_key_;  // scratch, as all below
  std::vector<uint16_t> copied_, merged_, steps_of_[2];
};

}  // namespace freshet
