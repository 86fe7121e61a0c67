#include "engine/metrics/duration_histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

TEST(DurationHistogram, KnowsNothingAtFirst) {
  const DurationHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.Quantile(0.5), 0);
}

TEST(DurationHistogram, SmallOnesAreExact) {
  for (Duration taken = 0; taken < 32; ++taken) {
    DurationHistogram histogram;
    histogram.Add(taken);
    EXPECT_EQ(histogram.Quantile(1), taken);
  }
  DurationHistogram histogram;
  histogram.Add(-5);
  EXPECT_EQ(histogram.Quantile(1), 0);
}

TEST(DurationHistogram, TheLongestThereIs) {
  DurationHistogram histogram;
  histogram.Add(kMaxTime);
  EXPECT_EQ(histogram.Quantile(0.01), kMaxTime);
}

// Beside all of them, sorted.
TEST(DurationHistogram, QuantilesAreRightToASixteenth) {
  Random random(1);
  DurationHistogram histogram;
  std::vector<Duration> all;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(static_cast<Duration>(random.Next() >> (12 + random.Below(50))));
    histogram.Add(all.back());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(histogram.count(), all.size());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const Duration exact = all[static_cast<size_t>(std::ceil(share * 10'000)) - 1];
    EXPECT_GE(histogram.Quantile(share), exact) << share;
    EXPECT_LE(histogram.Quantile(share), exact + exact / 16) << share;
  }
}

}  // namespace
}  // namespace freshet
