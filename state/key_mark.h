#pragma once
// What a key is looked for by in memory. Nothing of it is ever stored. Pure, any thread.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/base/wide.h"
#include "state/key_order.h"

namespace freshet {

struct KeyMark {
  uint64_t prefix = 0;  // KeyPrefix
  uint32_t tag = 0;     // a hash of the whole key; every bit of it is good
};

// Drawn by chance for each process, so that no list of keys is a bad one everywhere.
extern const uint64_t kMarkSeed;

// One multiplication for every eight bytes, whose halves are folded: each bit of the product's middle hangs
// on nearly all of both factors. What was before is folded in too, as a block may make the product 0. Short
// keys, which most are, are their prefix and their size.
inline KeyMark MarkOf(std::string_view key, uint64_t seed = kMarkSeed) {
  // Odd, with half their bits set: digits of the square roots of 2, 3 and 5.
  constexpr uint64_t kSize = 0x6a09e667f3bcc909;
  constexpr uint64_t kLeft = 0xbb67ae8584caa73b;
  constexpr uint64_t kRight = 0x3c6ef372fe94f82b;
  const auto fold = [](uint64_t a, uint64_t b) {
    const Wide product = Wide{a ^ kLeft} * (b ^ kRight);
    return a ^ static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  const char* bytes = key.data();
  const size_t size = key.size();
  const uint64_t prefix = KeyPrefix(key);
  uint64_t hash = prefix ^ seed;
  if (size > 8) {
    for (size_t at = 8; at + 8 < size; at += 8)
      hash = fold(hash, BigEndian64(bytes + at));
    hash = fold(hash, BigEndian64(bytes + size - 8));
  }
  hash = fold(hash, size * kSize);  // last, as a block may be a bad factor
  return {prefix, static_cast<uint32_t>(hash)};
}

// Of two keys of the same size and prefix: whether what follows the first eight bytes is the same.
inline bool SameTail(const char* a, const char* b, size_t size) {
  const auto same = [&](size_t at) { return std::memcmp(a + at, b + at, 8) == 0; };
  if (size <= 8) return true;
  for (size_t at = 8; at + 8 < size; at += 8) {
    if (!same(at)) return false;
  }
  return same(size - 8);
}

}  // namespace freshet
