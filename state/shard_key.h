#pragma once
// A key of keyed state, and the shard it belongs to: that of the task in whose tables and timers its rows
// are.
#include <cstdint>
#include <string_view>

namespace freshet {

struct ShardKey {
  uint32_t shard = 0;  // 0 where a stage has no key
  std::string_view bytes;
};

}  // namespace freshet
