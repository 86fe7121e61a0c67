#include "engine/base/hash.h"

#include <array>
#include <bit>
#include <cstring>

#include "engine/base/wide.h"

namespace freshet {
namespace {

template <class T>
T LoadLittleEndian(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) {
    T swapped = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      swapped |= (value >> (8 * i) & 0xff) << (8 * (sizeof(T) - 1 - i));
    value = swapped;
  }
  return value;
}

constexpr std::array<uint32_t, 256> CrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = CrcTable();

// Odd constants with half their bits set: digits of the square roots of 2, 3, 5 and 7.
constexpr uint64_t kRoot2 = 0x6a09e667f3bcc909;
constexpr uint64_t kRoot3 = 0xbb67ae8584caa73b;
constexpr uint64_t kRoot5 = 0x3c6ef372fe94f82b;
constexpr uint64_t kRoot7 = 0xa54ff53a5f1d36f1;

// Both halves of the product, folded: nearly every bit of the result depends on nearly every bit of the
// factors. A factor of zero loses the other, so callers also carry the factors past the product.
uint64_t Fold(uint64_t a, uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// A bijection of 64 bits with full avalanche (David Stafford's "Mix13").
uint64_t Finish(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

// Austin Appleby's MurmurHash2 with Kafka's seed, over the key read as little-endian words.
uint32_t Murmur2(std::string_view key) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  uint32_t hash = 0x9747b28cU ^ static_cast<uint32_t>(key.size());
  const char* at = key.data();
  size_t left = key.size();
  for (; left >= 4; at += 4, left -= 4) {
    uint32_t word = LoadLittleEndian<uint32_t>(at) * kMultiplier;
    word = (word ^ (word >> 24)) * kMultiplier;
    hash = hash * kMultiplier ^ word;
  }
  if (left > 0) {
    for (size_t i = 0; i < left; ++i)
      hash ^= uint32_t{static_cast<uint8_t>(at[i])} << (8 * i);
    hash *= kMultiplier;
  }
  hash = (hash ^ (hash >> 13)) * kMultiplier;
  return hash ^ (hash >> 15);
}

uint32_t Crc32(std::string_view key) {
  uint32_t crc = 0xffffffff;
  for (const char c : key)
    crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

uint32_t Fnv1a(std::string_view key) {
  uint32_t hash = 2166136261U;
  for (const char c : key)
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return hash;
}

uint32_t PartitionOf(Partitioner partitioner, std::string_view key, uint32_t partitions) {
  if (partitions == 1) return 0;
  switch (partitioner) {
    case Partitioner::kMurmur2:
      return (Murmur2(key) & 0x7fffffffU) % partitions;
    case Partitioner::kCrc32:
      return Crc32(key) % partitions;
    case Partitioner::kFnv1a: {
      const uint32_t hash = Fnv1a(key);
      return ((hash >> 31) != 0 ? 0 - hash : hash) % partitions;
    }
  }
  return 0;
}

uint64_t Hash64(std::string_view bytes, uint64_t seed) {
  const char* at = bytes.data();
  const size_t size = bytes.size();
  uint64_t hash = Finish(seed ^ kRoot2) ^ (size * kRoot7);
  size_t left = size;
  for (; left > 16; at += 16, left -= 16) {
    const auto first = LoadLittleEndian<uint64_t>(at);
    const auto second = LoadLittleEndian<uint64_t>(at + 8);
    hash = Fold(first ^ kRoot3, second ^ hash) + std::rotl(hash ^ first, 29) + second;
  }
  uint64_t first = 0;
  uint64_t second = 0;
  if (left >= 8) {
    first = LoadLittleEndian<uint64_t>(at);
    second = LoadLittleEndian<uint64_t>(at + (left - 8));
  } else if (left >= 4) {
    first = LoadLittleEndian<uint32_t>(at);
    second = LoadLittleEndian<uint32_t>(at + (left - 4));
  } else if (left > 0) {
    first = uint64_t{static_cast<uint8_t>(at[0])} << 16 | uint64_t{static_cast<uint8_t>(at[left / 2])} << 8 |
            static_cast<uint8_t>(at[left - 1]);
  }
  hash = Fold(first ^ kRoot5, second ^ hash) + std::rotl(first ^ hash, 32) + second;
  return Finish(hash);
}

uint64_t CombineHash(uint64_t a, uint64_t b) {
  return Finish(std::rotl(a * kRoot3, 32) + (b ^ kRoot5));
}

}  // namespace freshet
