#include "state/key_mark.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/bytes.h"

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
TEST(KeyMark, SpreadsKeysInARow) {
  constexpr uint32_t kPlaces = 1 << 12;
  for (const char* text : {"", "ATL", "a longer text than a prefix"}) {
    for (const int64_t step : {int64_t{1}, int64_t{4096}, int64_t{3'600'000'000}}) {
      std::vector<int> in_place(kPlaces);
      for (int64_t i = 0; i < kPlaces; ++i) {
        std::string key;
        if (*text != '\0') AppendOrdered(text, key);
        AppendOrdered(i * step, key);
        ++in_place[MarkOf(key).tag % kPlaces];
      }
      const auto empty = std::count(in_place.begin(), in_place.end(), 0);
      EXPECT_LT(empty, kPlaces / 2) << text << " " << step;  // at random: 0.37
      EXPECT_LT(*std::max_element(in_place.begin(), in_place.end()), 12) << text << " " << step;
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
