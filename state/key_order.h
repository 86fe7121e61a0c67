#pragma once
// The order of keys (that of their bytes), decided by their first eight bytes where these differ. Pure, any
// thread.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace freshet {

// Bytes as a big-endian number.
inline uint64_t BigEndian64(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}
inline uint32_t BigEndian32(const char* bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return std::endian::native == std::endian::little ? __builtin_bswap32(word) : word;
}

// The first eight bytes as a big-endian number, zeros after the end: a < b in it implies a < b in bytes.
inline uint64_t KeyPrefix(std::string_view key) {
  const char* at = key.data();
  const size_t size = key.size();
  if (size >= 8) return BigEndian64(at);
  const size_t zeros = 8 * (8 - size);  // bits
  // The first and the last four bytes: where they overlap they agree.
  if (size >= 4) return uint64_t{BigEndian32(at)} << 32 | uint64_t{BigEndian32(at + size - 4)} << zeros;
  uint64_t prefix = 0;
  for (size_t i = 0; i < size; ++i)
    prefix |= uint64_t{static_cast<uint8_t>(at[i])} << (56 - 8 * i);
  return prefix;
}

}  // namespace freshet
