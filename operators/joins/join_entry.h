#pragma once
// An entry of a `label_join`'s table, as its bytes: a header, then the kept row (kWaiting, and kTimedOut
// where late labels correct), then the kept fields of the label's row (has_label). One thread.
#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "state/keyed_table.h"

namespace freshet {

struct JoinEntry {
  enum class State : uint8_t { kWaiting, kEarly, kReleased, kTimedOut };
  struct Header {
    Time time = 0;        // of the prediction; kEarly: nothing
    Time label_time = 0;  // has_label
    uint64_t label = 0;   // has_label: its bits
    uint32_t row_size = 0;
    State state = State::kWaiting;
    bool has_label = false;
    bool late = false;  // has_label, and kWaiting: it came after the wait, and corrects the time-out
    uint8_t unused = 0;
  };
  static_assert(sizeof(Header) == 32);

  bool present() const { return slot.present(); }
  // A prediction that was settled. Whether it can still be corrected: has_row().
  bool marker() const { return header.state == State::kReleased || header.state == State::kTimedOut; }
  bool has_row() const { return header.row_size > 0; }
  bool has_label_in_time() const { return header.has_label && !header.late; }
  // REQUIRES: present().
  std::string_view row() const { return slot.bytes().substr(sizeof(Header), header.row_size); }
  std::string_view keep() const { return slot.bytes().substr(sizeof(Header) + header.row_size); }

  // The header of the slot, if there is a row.
  Status Read();
  // The header, its row_size set here, and what follows. `row` and `keep` must not be parts of the entry.
  void Write(KeyedTable& entries, std::string_view row, std::string_view keep);
  // The header alone; what follows stays. REQUIRES: present(), row_size and has_label as they were.
  void WriteHeader(KeyedTable& entries);

  KeyedTable::Slot slot;
  ShardKey key;
  Header header;  // REQUIRES: present()
};

}  // namespace freshet
