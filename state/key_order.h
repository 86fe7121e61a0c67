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
  if (!key.empty())
    std::memcpy(&prefix, key.data(), key.size() < sizeof(prefix) ? key.size() : sizeof(prefix));
  if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
  return prefix;
}

}  // namespace freshet
