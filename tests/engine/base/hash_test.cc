#include "engine/base/hash.h"

#include <bit>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

// The vectors of Kafka's own test of its hash (org.apache.kafka.common.utils.UtilsTest).
TEST(Hash, Murmur2IsKafkas) {
  EXPECT_EQ(static_cast<int32_t>(Murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<int32_t>(Murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<int32_t>(Murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<int32_t>(Murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<int32_t>(Murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
  EXPECT_EQ(static_cast<int32_t>(Murmur2("abc")), 479470107);
}

TEST(Hash, ShardOfIsKafkasPartition) {
  EXPECT_EQ(ShardOf("foobar", 8), (static_cast<uint32_t>(-790332482) & 0x7fffffff) % 8);
  EXPECT_EQ(ShardOf("anything", 1), 0U);
}

TEST(Hash, Crc32AndFnvGiveTheirKnownValues) {
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(Crc32(""), 0U);
  EXPECT_EQ(Fnv1a(""), 0x811c9dc5U);
  EXPECT_EQ(Fnv1a("a"), 0xe40c292cU);
  EXPECT_EQ(Fnv1a("foobar"), 0xbf9cf968U);
  EXPECT_EQ(Fnv1a("\xff\x80"),
            (((0x811c9dc5U ^ 0xffU) * 16777619U) ^ 0x80U) * 16777619U);  // bytes, not signed
}

std::string AnyText(Random& random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text)
    c = static_cast<char>(random.Next());
  return text;
}

// Flipping any one bit of the input flips each bit of the output half of the time.
// The hashes as above; Sarama takes its own for a signed number, and drops the sign.
TEST(Hash, PartitionsAreThoseOfTheirClients) {
  EXPECT_EQ(PartitionOf(Partitioner::kMurmur2, "a", 7), ShardOf("a", 7));
  EXPECT_EQ(PartitionOf(Partitioner::kCrc32, "a", 7), Crc32("a") % 7);
  const auto sarama = static_cast<int32_t>(Fnv1a("a"));
  ASSERT_LT(sarama, 0);
  EXPECT_EQ(PartitionOf(Partitioner::kFnv1a, "a", 7), static_cast<uint32_t>(std::abs(sarama % 7)));
  for (const Partitioner partitioner : {Partitioner::kMurmur2, Partitioner::kCrc32, Partitioner::kFnv1a})
    EXPECT_EQ(PartitionOf(partitioner, "a", 1), 0U);
}

TEST(Hash, Hash64Avalanches) {
  Random random(1);
  for (const size_t size : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 15U, 16U, 17U, 24U, 31U, 32U, 33U, 64U, 100U}) {
    constexpr int kTrials = 4096;
    for (size_t bit = 0; bit<size * 8; bit += size> 16 ? 7 : 1) {
      std::vector<int> flips(64);
      for (int trial = 0; trial < kTrials / 4; ++trial) {
        std::string text = AnyText(random, size);
        const uint64_t seed = random.Next();
        const uint64_t before = Hash64(text, seed);
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
        const uint64_t changed = before ^ Hash64(text, seed);
        for (size_t out = 0; out < 64; ++out)
          flips[out] += static_cast<int>(changed >> out & 1);
      }
      for (size_t out = 0; out < 64; ++out) {  // 1,024 tosses: six deviations are 96
        ASSERT_LE(std::abs(flips[out] - kTrials / 8), 96)
            << size << " bytes, bit " << bit << " to bit " << out;
      }
    }
  }
}

TEST(Hash, SeedsAndCombinationsAvalanche) {
  Random random(2);
  for (uint64_t bit = 0; bit < 64; ++bit) {
    int of_seed = 0;
    int of_first = 0;
    int of_second = 0;
    for (int trial = 0; trial < 1000; ++trial) {
      const uint64_t a = random.Next();
      const uint64_t b = random.Next();
      const uint64_t flip = uint64_t{1} << bit;
      of_seed += std::popcount(Hash64("carrier", a) ^ Hash64("carrier", a ^ flip));
      of_first += std::popcount(CombineHash(a, b) ^ CombineHash(a ^ flip, b));
      of_second += std::popcount(CombineHash(a, b) ^ CombineHash(a, b ^ flip));
    }
    EXPECT_NEAR(of_seed, 32'000, 1'600);
    EXPECT_NEAR(of_first, 32'000, 1'600);
    EXPECT_NEAR(of_second, 32'000, 1'600);
  }
  EXPECT_NE(CombineHash(1, 2), CombineHash(2, 1));
}

// Short and regular keys, as ids are, meet as seldom as chance has it: never in 64 bits, and in the upper and
// lower 20 bits about n^2 / 2^21 times.
TEST(Hash, RegularKeysDoNotCollide) {
  std::set<uint64_t> all;
  std::vector<uint32_t> low(1 << 20);
  std::vector<uint32_t> high(1 << 20);
  uint64_t low_pairs = 0;
  uint64_t high_pairs = 0;
  constexpr uint64_t kKeys = 200'000;
  for (uint64_t i = 0; i < kKeys; ++i) {
    const uint64_t hash = Hash64(std::to_string(i));
    EXPECT_TRUE(all.insert(hash).second);
    low_pairs += low[hash & 0xfffff]++;
    high_pairs += high[hash >> 44]++;
  }
  const double expected = static_cast<double>(kKeys) * static_cast<double>(kKeys) / (2 << 20);
  EXPECT_NEAR(static_cast<double>(low_pairs), expected, expected * 0.05);
  EXPECT_NEAR(static_cast<double>(high_pairs), expected, expected * 0.05);
}

TEST(Hash, EveryByteAndTheLengthCount) {
  Random random(3);
  for (size_t size = 0; size <= 80; ++size) {
    const std::string zeros(size, '\0');
    EXPECT_NE(Hash64(zeros), Hash64(zeros + '\0'));
    for (size_t i = 0; i < size; ++i) {
      std::string text = AnyText(random, size);
      const uint64_t before = Hash64(text);
      text[i] = static_cast<char>(text[i] + 1);
      EXPECT_NE(Hash64(text), before);
    }
  }
}

// A word that makes one factor of a product zero must not hide the other.
TEST(Hash, NoWordHidesAnother) {
  for (const uint64_t word : {uint64_t{0x6a09e667f3bcc909}, uint64_t{0xbb67ae8584caa73b},
                              uint64_t{0x3c6ef372fe94f82b}, uint64_t{0xa54ff53a5f1d36f1}}) {
    for (const size_t size : {16U, 32U, 48U}) {
      for (size_t place = 0; place < size; place += 8) {
        std::set<uint64_t> seen;
        for (uint64_t i = 0; i < 64; ++i) {
          std::string text(size, static_cast<char>(i));
          for (size_t b = 0; b < 8; ++b)
            text[place + b] = static_cast<char>(word >> (8 * b));
          seen.insert(Hash64(text));
        }
        EXPECT_EQ(seen.size(), 64U) << std::hex << word << " at " << place << " of " << size;
      }
    }
  }
}

// Models keep indices made with these hashes: the values may never change.
TEST(Hash, ValuesAreFixed) {
  uint64_t digest = 0;
  std::string text;
  for (int i = 0; i < 70; ++i) {
    digest = CombineHash(digest, Hash64(text, static_cast<uint64_t>(i)));
    text.push_back(static_cast<char>('a' + i));
  }
  EXPECT_EQ(digest, 13462404981688049898ULL);
}

}  // namespace
}  // namespace freshet
