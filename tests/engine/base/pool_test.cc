#include "engine/base/pool.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

TEST(Pool, BlocksAreAlignedDistinctAndReused) {
  Pool pool;
  Random random(1);
  struct Block {
    unsigned char* at;
    size_t bytes;
    unsigned char fill;
  };
  std::vector<Block> live;
  for (int i = 0; i < 20'000; ++i) {
    if (live.size() < 50 && random.Chance(0.6)) {
      const size_t bytes = 1 + random.Below(uint64_t{1} << random.Below(14));
      auto* at = static_cast<unsigned char*>(pool.Allocate(bytes));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(at) % (bytes < 64 ? 16 : 64), 0U);
      live.push_back({at, bytes, static_cast<unsigned char>(i)});
      std::memset(at, live.back().fill, bytes);
    } else if (!live.empty()) {
      const size_t which = random.Below(live.size());
      for (size_t b = 0; b < live[which].bytes; ++b)
        ASSERT_EQ(live[which].at[b], live[which].fill);
      pool.Free(live[which].at, live[which].bytes);
      live[which] = live.back();
      live.pop_back();
    }
  }
  for (const Block& block : live)
    pool.Free(block.at, block.bytes);
  EXPECT_LT(pool.fresh_blocks(), 800U);
}

TEST(Pool, SteadyStateCallsMallocNoMore) {
  Pool pool;
  const auto round = [&] {
    for (const size_t bytes : {1U, 32U, 33U, 100U, 5000U, 1U << 20})
      pool.Free(pool.Allocate(bytes), bytes);
  };
  round();
  const uint64_t mallocs = pool.fresh_blocks();
  const size_t held = pool.held();
  for (int i = 0; i < 100; ++i)
    round();
  EXPECT_EQ(pool.fresh_blocks(), mallocs);
  EXPECT_EQ(pool.held(), held);
}

TEST(Pool, HugeBlocksGoBackAtOnce) {
  Pool pool;
  constexpr size_t kHuge = (size_t{64} << 20) + 1;
  void* block = pool.Allocate(kHuge);
  EXPECT_EQ(pool.held(), kHuge);
  pool.Free(block, kHuge);
  EXPECT_EQ(pool.held(), 0U);
}

struct Counted {
  mutable uint32_t references = 0;
  int* released;
  void Release() const { ++*released; }
};

TEST(Ref, ReleasesWithTheLast) {
  int released = 0;
  Counted object{0, &released};
  {
    const Ref<Counted> a(&object);
    Ref<Counted> b = a;
    Ref<Counted> c = std::move(b);
    EXPECT_FALSE(b);  // NOLINT(bugprone-use-after-move): this is what is tested
    EXPECT_EQ(object.references, 2U);
    c = Ref<Counted>();
    EXPECT_EQ(object.references, 1U);
    c = a;
    Ref<Counted>& same = c;
    c = same;
    EXPECT_EQ(object.references, 2U);
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace freshet
