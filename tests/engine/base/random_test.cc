#include "engine/base/random.h"

#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

// The first outputs of xoshiro256** from the state 1, 2, 3, 4, computed by hand from its definition.
TEST(Random, IsXoshiro256StarStar) {
  Random random(0);
  random.state() = {1, 2, 3, 4};
  EXPECT_EQ(random.Next(), 11520U);
  EXPECT_EQ(random.Next(), 0U);
  EXPECT_EQ(random.Next(), 1509978240U);
  EXPECT_EQ(random.Next(), 1215971899390074240U);
}

TEST(Random, SameSeedSameSequence) {
  Random a(7);
  Random b(7);
  Random c(8);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.Next();
    EXPECT_EQ(value, b.Next());
    equal += value == c.Next() ? 1 : 0;
  }
  EXPECT_EQ(equal, 0);
}

TEST(Random, BelowAndUniformAreEven) {
  Random random(9);
  std::vector<int> counts(6);
  double sum = 0;
  for (int i = 0; i < 60'000; ++i) {
    ++counts[random.Below(6)];
    const double u = random.Uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  for (const int count : counts)
    EXPECT_NEAR(count, 10'000, 550);
  EXPECT_NEAR(sum / 60'000, 0.5, 0.008);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(random.Below(1), 0U);
  const uint64_t large = (uint64_t{1} << 63) + 1;  // nearly half of all values must be drawn again
  for (int i = 0; i < 1000; ++i)
    EXPECT_LT(random.Below(large), large);
}

}  // namespace
}  // namespace freshet
