#include "state/key_mark.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/bytes.h"
#include "engine/base/random.h"

namespace freshet {
namespace {

TEST(KeyPrefix, OrdersAsTheBytesDo) {
  std::vector<std::string> keys;
  const std::string text("a\0\xff\x80yz\1m\xfe", 9);
  for (size_t size = 0; size <= text.size(); ++size) {
    keys.push_back(text.substr(0, size));
    for (size_t i = 0; i < size; ++i) {
      keys.push_back(keys.back());
      keys.back()[i] = static_cast<char>(keys.back()[i] + 1);
    }
  }
  for (const std::string& a : keys) {
    std::string padded = a.substr(0, 8);
    padded.resize(8, '\0');
    EXPECT_EQ(KeyPrefix(a), KeyPrefix(padded));
    for (const std::string& b : keys) {
      EXPECT_TRUE(KeyPrefix(a) >= KeyPrefix(b) || a < b);
    }
  }
}

// As good as any that is drawn; the worst of many is worse than one.
std::vector<uint64_t> Seeds() {
  std::vector<uint64_t> seeds{kMarkSeed};
  Random random(17);
  for (int i = 0; i < 20; ++i)
    seeds.push_back(random.Next());
  return seeds;
}

// Keys of one byte more or less, zeros too, and keys that differ in any one byte.
TEST(KeyMark, HangsOnEveryByte) {
  std::set<uint32_t> tags;
  size_t keys = 0;
  const auto add = [&](const std::string& key) {
    tags.insert(MarkOf(key).tag);
    ++keys;
  };
  for (size_t size = 0; size <= 40; ++size) {
    const std::string zeros(size, '\0');
    add(zeros);
    for (size_t i = 0; i < size; ++i) {
      std::string key = zeros;
      for (int byte = 1; byte < 256; ++byte) {
        key[i] = static_cast<char>(byte);
        add(key);
      }
    }
  }
  // Of 209,000 random numbers of 32 bits some five pairs are the same.
  EXPECT_GT(tags.size() + 40, keys);
}

// The keys operators make: numbers and times in a row, alone and behind a text. An index takes the low bits.
void ExpectSpread(uint64_t seed) {
  constexpr uint32_t kPlaces = 1 << 12;
  for (const char* text : {"", "ATL", "a longer text than a prefix"}) {
    for (const int64_t step : {int64_t{1}, int64_t{4096}, int64_t{3'600'000'000}}) {
      std::vector<int> in_place(kPlaces);
      for (int64_t i = 0; i < kPlaces; ++i) {
        std::string key;
        if (*text != '\0') AppendOrdered(text, key);
        AppendOrdered(i * step, key);
        ++in_place[MarkOf(key, seed).tag % kPlaces];
      }
      const auto empty = std::count(in_place.begin(), in_place.end(), 0);
      EXPECT_LT(empty, kPlaces / 2) << text << " " << step;  // at random: 0.37
      EXPECT_LT(*std::max_element(in_place.begin(), in_place.end()), 12) << text << " " << step;
    }
  }
}

TEST(KeyMark, SpreadsKeysInARow) {
  for (const uint64_t seed : Seeds())
    ExpectSpread(seed);
}

// A block that makes a product 0 must not make all that came before it one.
TEST(KeyMark, NoBlockSwallowsWhatWasBeforeIt) {
  const auto append = [](uint64_t block, std::string& key) {
    for (int shift = 56; shift >= 0; shift -= 8)
      key.push_back(static_cast<char>(block >> shift));
  };
  for (const uint64_t seed : Seeds()) {
    for (const uint64_t block : {uint64_t{0}, uint64_t{0x3c6ef372fe94f82b}, uint64_t{0xbb67ae8584caa73b}}) {
      std::set<uint32_t> tags;
      for (uint64_t i = 0; i < 1000; ++i) {
        std::string key;
        append(i, key);
        append(block, key);
        tags.insert(MarkOf(key, seed).tag);
      }
      EXPECT_GT(tags.size(), 990U) << block;
    }
  }
}

TEST(KeyMark, TailsAreComparedToTheLastByte) {
  for (size_t size = 0; size <= 40; ++size) {
    const std::string key(size, 'k');
    EXPECT_TRUE(SameTail(key.data(), std::string(key).data(), size));
    for (size_t i = 8; i < size; ++i) {
      std::string other = key;
      other[i] = 'o';
      EXPECT_FALSE(SameTail(key.data(), other.data(), size)) << size << " " << i;
    }
  }
}

}  // namespace
}  // namespace freshet
