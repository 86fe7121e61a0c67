#pragma once
// Labels by the time they became known, so that one can ask what was known at any moment since: how many, how
// many of them true, and the last one. Each history is a head with the latest labels and numbered chunks of
// the older ones, in order of time; a question about the recent past is one or two loads. One thread.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "state/raw_table.h"

namespace freshet {

struct Known {
  int64_t labels = 0;
  int64_t positives = 0;
  std::optional<bool> last;  // of labels at one moment, the one that was added last
  // By Laplace's rule of succession.
  double Probability() const {
    return (1.0 + static_cast<double>(positives)) / (2.0 + static_cast<double>(labels));
  }
};

class Answers {
 public:
  explicit Answers(RawTable& table) : table_(table) {}
  static TableSpec Table(uint32_t layout) { return {"answers", layout, false, 0}; }

  // What history `key` knew strictly before `before`. Right for moments since the `horizon` of every Add.
  Status Before(std::string_view key, Time before, Known& known);
  // Adds a label; nobody will ask about moments before `horizon`.
  Status Add(std::string_view key, Time time, bool label, Time horizon);

 private:
  using Entry = int64_t;  // time * 2 + label
  struct Counts {
    int64_t labels = 0;  // before the row's first entry
    int64_t positives = 0;
  };
  struct Row {  // of the table: counts, for the head the chunks [first, last), then entries in order of time
    RawTable::Slot slot;
    Counts before;
    uint32_t first = 0;
    uint32_t last = 0;
    std::vector<Entry> entries;
  };
  static constexpr size_t kFull = 64;

  Status Load(std::string_view key, bool is_head, Row& row);
  void Store(bool is_head, Row& row);
  Status LoadChunk(std::string_view key, uint32_t number, Row& row);
  // Loads into chunk_ the last chunk whose first entry is below `bound`; false: there is none.
  Status Find(std::string_view key, Entry bound, bool& found, uint32_t& number);
  Status AddLate(std::string_view key, Entry entry);
  Status Split(std::string_view key, size_t at, Time horizon);

  RawTable& table_;
  std::string chunk_key_;
  Row head_, chunk_;  // scratch
};

}  // namespace freshet
