#pragma once
// The latest examples of each open bucket, as they came: one row a bucket, which an example makes longer by a
// few bytes. Where kMost have gathered they are to be folded into the tallies, so that what each series takes
// of work and state is paid once for many examples. One thread.
//
// A row names the series it is of, and is read by that, whatever is measured now.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "operators/evaluation/metrics.h"
#include "state/raw_table.h"

namespace freshet {

// What a series says of a row.
struct Guess {
  double probability = 0.5;
  bool answer = true;  // what counts for accuracy
  bool given = true;   // false: nothing
};

class ExampleLog {
 public:
  static constexpr size_t kMost = 64;

  // `series`: the keys of what is measured.
  ExampleLog(RawTable& table, std::span<const std::string> series);
  static TableSpec Table(uint32_t layout) { return {"examples", layout, true, 0}; }

  enum class Outcome : uint8_t {
    kAdded,
    kFirst,  // added, and the bucket had no row
    kFull,   // added, and now to be folded
    kOther,  // not added: the row is of other series, and to be folded before
  };
  // `guesses`: one a series.
  Status Add(Time bucket, bool label, std::span<const Guess> guesses, Outcome& outcome);

  // The examples of one series after another, in the order they came; none where it has none. The log may not
  // be changed meanwhile.
  using Visitor = std::function<Status(std::string_view series, std::span<const Scored> examples)>;
  Status Visit(Time bucket, const Visitor& visit);
  // They are folded: the row stays, empty.
  Status Empty(Time bucket);
  Status Erase(Time bucket);
  // The buckets that have a row, in order of time.
  Status Buckets(std::vector<Time>& buckets);

 private:
  // A record: the label, then the answer of each series (kNothing: none), then its probability.
  static constexpr char kNothing = 2;
  static constexpr size_t RecordSize(size_t series) { return 1 + series * (1 + sizeof(double)); }
  // The row that was added to last, where the next example goes as a rule: begins with head_.
  struct Latest {
    bool known = false;
    Time bucket = 0;
    uint64_t era = 0;  // of the table: `slot` is good while it stands
    RawTable::Slot slot;
  };
  Status Load(Time bucket, RawTable::Slot& slot);
  Status Find(Time bucket, RawTable::Slot& slot, bool& is_other);
  Status Parse(std::string_view row);

  RawTable& table_;
  std::string head_;  // the series' names, with which each row begins
  size_t series_ = 0;
  Latest latest_;
  std::string key_;  // scratch, as all below
  std::vector<std::string> names_;
  std::vector<std::vector<Scored>> examples_;
};

}  // namespace freshet
