#pragma once
// Of each key its last offset: what a compaction learns before it rewrites. Internal to engine/log/local; one
// thread. Keys are kept as they are, one behind the other: two that share a hash stay two.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

class KeyOffsets {
 public:
  KeyOffsets();
  void Put(std::string_view key, int64_t offset);  // a later offset than any put before
  std::optional<int64_t> Find(std::string_view key) const;
  size_t bytes() const { return keys_.size() + slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    uint64_t hash = 0;
    size_t begin = 0;  // of the key in keys_
    size_t size = 0;
    int64_t offset = -1;  // below 0: free
  };
  size_t SlotOf(uint64_t hash, std::string_view key) const;
  void Grow();

  std::string keys_;
  std::vector<Slot> slots_;  // a power of two, more than a third of them free
  size_t used_ = 0;
};

}  // namespace freshet
