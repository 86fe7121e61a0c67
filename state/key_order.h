#pragma once
// The order of keys (that of their bytes), decided by their first eight bytes where these differ. Pure, any
// thread.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace freshet {

// The first eight bytes as a big-endian number, zeros after the end: a < b in it implies a < b in bytes.
inline uint64_t KeyPrefix(std::string_view key) {
  uint64_t prefix = 0;
  if (key.size() >= sizeof(prefix)) {
    std::memcpy(&prefix, key.data(), sizeof(prefix));
    if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
    return prefix;
  }
  for (size_t i = 0; i < key.size(); ++i)
    prefix |= uint64_t{static_cast<uint8_t>(key[i])} << (56 - 8 * i);
  return prefix;
}

}  // namespace freshet
