#pragma once
// From a key's hash to the number of its entry: open addressing with linear probing, at most half full;
// erasing shifts back, so there are no tombstones. Knows no keys: whoever asks compares them. One thread.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/base/pool.h"

namespace freshet {

class KeyIndex {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  explicit KeyIndex(Pool& pool) : slots_(AllocatorFrom<Slot, Pool>(pool)) {}  // which outlives this

  // The entry with that tag for which `same(entry)` holds, or kNone.
  template <class Same>
  uint32_t Find(uint32_t tag, const Same& same) const {
    if (slots_.empty()) return kNone;
    for (size_t i = tag & mask_; slots_[i].entry != kNone; i = (i + 1) & mask_) {
      if (slots_[i].tag == tag && same(slots_[i].entry)) return slots_[i].entry;
    }
    return kNone;
  }
  // The first entry with that tag, which is nearly always the one, or kNone.
  uint32_t Likely(uint32_t tag) const {
    return Find(tag, [](uint32_t) { return true; });
  }
  void Prefetch(uint32_t tag) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[tag & mask_]);
  }
  // REQUIRES: not there yet.
  void Insert(uint32_t tag, uint32_t entry) {
    if (2 * (count_ + 1) > slots_.size()) Grow();
    Place({tag, entry});
    ++count_;
  }
  // REQUIRES: there.
  void Erase(uint32_t tag, uint32_t entry) {
    size_t hole = tag & mask_;
    while (slots_[hole].entry != entry)
      hole = (hole + 1) & mask_;
    for (size_t i = (hole + 1) & mask_; slots_[i].entry != kNone; i = (i + 1) & mask_) {
      const size_t from_home = (i - slots_[i].tag) & mask_;
      if (from_home >= ((i - hole) & mask_)) {  // may move back to the hole without passing its home
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole].entry = kNone;
    --count_;
  }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = kNone;
  };
  using Slots = std::vector<Slot, AllocatorFrom<Slot, Pool>>;
  void Place(Slot slot) {
    size_t i = slot.tag & mask_;
    while (slots_[i].entry != kNone)
      i = (i + 1) & mask_;
    slots_[i] = slot;
  }
  void Grow() {
    Slots larger(slots_.empty() ? 16 : 2 * slots_.size(), slots_.get_allocator());
    const Slots old = std::exchange(slots_, std::move(larger));
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.entry != kNone) Place(slot);
    }
  }
  Slots slots_;
  size_t mask_ = 0;
  size_t count_ = 0;
};

}  // namespace freshet
