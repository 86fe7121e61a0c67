#include "engine/metrics/counter.h"

#include <thread>

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(Counter, AddsUp) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0U);
  counter.Add();
  counter.Add(41);
  counter.Add(0);
  EXPECT_EQ(counter.value(), 42U);
}

// A reader beside the one that counts sees numbers that only rise, up to the last.
TEST(Counter, IsReadBesideItsWriter) {
  constexpr uint64_t kMost = 100'000;
  Counter counter;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kMost; ++i)
      counter.Add();
  });
  bool rose = true;
  for (uint64_t last = 0; last < kMost && rose;) {
    const uint64_t seen = counter.value();
    rose = seen >= last;
    last = seen;
  }
  writer.join();
  EXPECT_TRUE(rose);
  EXPECT_EQ(counter.value(), kMost);
}

}  // namespace
}  // namespace freshet
