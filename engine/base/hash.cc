#include "engine/base/hash.h"

#include <array>
#include <cstring>

namespace freshet {

// Austin Appleby's MurmurHash2 with Kafka's seed, over the key read as little-endian words.
uint32_t Murmur2(std::string_view key) {
  constexpr uint32_t kM = 0x5bd1e995;
  const auto* data = reinterpret_cast<const uint8_t*>(key.data());
  size_t left = key.size();
  uint32_t h = 0x9747b28cU ^ static_cast<uint32_t>(left);
  for (; left >= 4; data += 4, left -= 4) {
    uint32_t k = 0;
    std::memcpy(&k, data, 4);
    k *= kM;
    k ^= k >> 24;
    h = h * kM ^ k * kM;
  }
  if (left >= 3) h ^= static_cast<uint32_t>(data[2]) << 16;
  if (left >= 2) h ^= static_cast<uint32_t>(data[1]) << 8;
  if (left >= 1) h = (h ^ data[0]) * kM;
  h ^= h >> 13;
  h *= kM;
  return h ^ h >> 15;
}

namespace {
constexpr std::array<uint32_t, 256> CrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit)
      c = (c & 1) != 0 ? 0xedb88320U ^ c >> 1 : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrc = CrcTable();
}  // namespace

uint32_t Crc32(std::string_view key) {
  uint32_t crc = ~0U;
  for (const char c : key)
    crc = kCrc[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ crc >> 8;
  return ~crc;
}

uint32_t Fnv1a(std::string_view key) {
  uint32_t hash = 0x811c9dc5U;
  for (const char c : key)
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x01000193U;
  return hash;
}

namespace {

// The 128-bit product folded: every bit of the result depends on every bit of both.
uint64_t Fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Word(const char* p) {
  uint64_t w = 0;
  std::memcpy(&w, p, 8);
  return w;
}

uint64_t Half(const char* p) {
  uint32_t w = 0;
  std::memcpy(&w, p, 4);
  return w;
}

constexpr uint64_t kA =
    0x9e3779b97f4a7c15;  // digits of the golden ratio, of pi and of e: odd and without pattern
constexpr uint64_t kB = 0x243f6a8885a308d3;
constexpr uint64_t kC = 0xb7e151628aed2a6b;

}  // namespace

uint64_t Hash64(std::string_view bytes, uint64_t seed) {
  const char* p = bytes.data();
  size_t left = bytes.size();
  uint64_t state = Fold(seed ^ kA, kB ^ left);
  for (; left > 16; p += 16, left -= 16)
    state = Fold(Word(p) ^ kC ^ state, Word(p + 8) ^ kB);
  uint64_t first = 0;
  uint64_t second = 0;
  if (left >= 8) {
    first = Word(p);
    second = Word(p + left - 8);
  } else if (left >= 4) {
    first = Half(p);
    second = Half(p + left - 4);
  } else if (left > 0) {
    first = static_cast<uint64_t>(static_cast<uint8_t>(p[0])) << 16 |
            static_cast<uint64_t>(static_cast<uint8_t>(p[left / 2])) << 8 | static_cast<uint8_t>(p[left - 1]);
  }
  return Fold(Fold(first ^ kC ^ state, second ^ kA), kB ^ state);
}

uint64_t CombineHash(uint64_t a, uint64_t b) {
  return Fold(a ^ kA, b ^ Fold(a, kC) ^ kB);
}

}  // namespace freshet
