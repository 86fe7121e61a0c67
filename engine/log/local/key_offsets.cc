#include "engine/log/local/key_offsets.h"

#include "engine/base/hash.h"

namespace freshet {

KeyOffsets::KeyOffsets() : slots_(1024) {}

void KeyOffsets::Put(std::string_view key, int64_t offset) {
  const uint64_t hash = Hash64(key);
  size_t at = SlotOf(hash, key);
  if (slots_[at].offset < 0) {
    if (3 * (used_ + 1) > 2 * slots_.size()) {
      Grow();
      at = SlotOf(hash, key);
    }
    ++used_;
    slots_[at] = {hash, keys_.size(), key.size(), offset};
    keys_.append(key);
  }
  slots_[at].offset = offset;
}

std::optional<int64_t> KeyOffsets::Find(std::string_view key) const {
  const Slot& slot = slots_[SlotOf(Hash64(key), key)];
  return slot.offset < 0 ? std::nullopt : std::optional<int64_t>(slot.offset);
}

// Where the key is, or the free slot where it belongs (linear probing).
size_t KeyOffsets::SlotOf(uint64_t hash, std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].offset >= 0) {
    const Slot& slot = slots_[at];
    if (slot.hash == hash && std::string_view(keys_).substr(slot.begin, slot.size) == key) break;
    at = (at + 1) & mask;
  }
  return at;
}

void KeyOffsets::Grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.offset < 0) continue;
    size_t at = slot.hash & mask;
    while (slots_[at].offset >= 0)
      at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace freshet
