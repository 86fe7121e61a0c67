#include "state/blocks.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

TEST(Blocks, RoundingIsFineAndStable) {
  size_t last = 0;
  for (size_t bytes = 0; bytes <= 3 * Blocks::kLargest; ++bytes) {
    const size_t rounded = Blocks::Rounded(bytes);
    ASSERT_GE(rounded, bytes);
    ASSERT_GE(rounded, last);
    ASSERT_EQ(rounded % 16, 0U);
    ASSERT_EQ(Blocks::Rounded(rounded), rounded);
    if (bytes > 64) {
      ASSERT_LE(rounded, bytes + bytes / 4);
    }
    last = rounded;
  }
}

TEST(Blocks, HandsOutDisjointBlocks) {
  struct Held {
    unsigned char* block;
    size_t bytes;
    unsigned char mark;
  };
  Pool pool;
  Blocks blocks(pool);
  Random random(1);
  std::vector<Held> held;
  const auto check_and_free = [&](const Held& h) {
    ASSERT_TRUE(std::all_of(h.block, h.block + h.bytes, [&](unsigned char c) { return c == h.mark; }));
    blocks.Free(h.block, h.bytes);
  };
  for (int i = 0; i < 50'000; ++i) {
    if (held.size() > 500 || (!held.empty() && random.Chance(0.4))) {
      std::swap(held[random.Below(held.size())], held.back());
      check_and_free(held.back());
      held.pop_back();
      continue;
    }
    const size_t bytes = random.Chance(0.9) ? random.Below(300) : random.Below(2 * Blocks::kLargest);
    const auto mark = static_cast<unsigned char>(random.Below(256));
    auto* block = static_cast<unsigned char*>(blocks.Allocate(bytes));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0U);
    std::memset(block, mark, bytes);
    held.push_back({block, bytes, mark});
  }
  for (const Held& h : held)
    check_and_free(h);
}

}  // namespace
}  // namespace freshet
