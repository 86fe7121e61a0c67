#include "engine/base/bytes.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

template <class T>
std::string Ordered(const T& value) {
  std::string out;
  AppendOrdered(value, out);
  return out;
}

// Byte order is value order, every value comes back, and what follows it stays.
template <class T, class Less>
void CheckOrder(const std::vector<T>& values, Less less) {
  for (const T& a : values) {
    const std::string bytes = Ordered(a) + "rest";
    std::string_view in = bytes;
    T back{};
    ASSERT_TRUE(TakeOrdered(in, back));
    EXPECT_EQ(in, "rest");
    EXPECT_FALSE(less(a, back) || less(back, a));
    for (const T& b : values) {
      const int order = Ordered(a).compare(Ordered(b));
      EXPECT_EQ(order < 0, less(a, b));
      EXPECT_EQ(order > 0, less(b, a));
    }
    for (size_t size = 0; size < Ordered(a).size(); ++size) {
      std::string_view cut = std::string_view(bytes).substr(0, size);
      EXPECT_FALSE(TakeOrdered(cut, back)) << "a key cut short is no key";
    }
  }
}

TEST(OrderedBytes, OfInt64) {
  using Limits = std::numeric_limits<int64_t>;
  std::vector<int64_t> values = {0, 1, -1, 255, 256, -256, Limits::min(), Limits::min() + 1, Limits::max()};
  Random random(1);
  for (int i = 0; i < 200; ++i)
    values.push_back(static_cast<int64_t>(random.Next()) >> random.Below(64));
  CheckOrder(values, std::less<>());
}

TEST(OrderedBytes, OfFloat64) {
  using Limits = std::numeric_limits<double>;
  std::vector<double> values = {0.0,
                                -0.0,
                                1,
                                -1,
                                Limits::infinity(),
                                Limits::max(),
                                -Limits::max(),
                                1e-320,
                                -1e-320,
                                -Limits::infinity(),
                                Limits::min(),
                                -Limits::min(),
                                std::nan(""),
                                -std::nan(""),
                                Limits::denorm_min()};
  Random random(2);
  for (int i = 0; i < 200; ++i)
    values.push_back(std::bit_cast<double>(random.Next()));
  CheckOrder(values, [](double a, double b) {  // NaN last, all NaN alike
    return std::isnan(b) ? !std::isnan(a) : a < b;
  });
}

TEST(OrderedBytes, OfText) {
  std::vector<std::string> values = {"",     "a",    "ab", "b", std::string(1, '\0'), std::string(2, '\0'),
                                     "\xff", "a\xff"};
  values.push_back(std::string("a\0", 2));
  values.push_back(std::string("a\0\1", 3));
  values.push_back(std::string("a\0\xff", 3));
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (uint64_t left = random.Below(6); left > 0; --left)
      text.push_back(
          "\0\1\2\xfe\xff"
          "a"[random.Below(6)]);
    values.push_back(text);
  }
  CheckOrder(values, [](const std::string& a, const std::string& b) { return a < b; });
}

// Keys of several fields order by the first, then by the second.
TEST(OrderedBytes, OfSeveralFields) {
  Random random(4);
  struct Key {
    std::string text;
    bool present;
    int64_t number;
    auto operator<=>(const Key&) const = default;
  };
  std::vector<std::pair<Key, std::string>> keys;
  for (int i = 0; i < 150; ++i) {
    Key key{std::string(random.Below(3), static_cast<char>(random.Below(2))), random.Chance(0.7), 0};
    std::string bytes;
    AppendOrdered(key.text, bytes);
    if (key.present) {
      key.number = static_cast<int64_t>(random.Below(5)) - 2;
      AppendOrderedPresent(bytes);
      AppendOrdered(key.number, bytes);
    } else {
      AppendOrderedNull(bytes);
    }
    keys.emplace_back(key, bytes);
  }
  for (const auto& [a, a_bytes] : keys) {
    for (const auto& [b, b_bytes] : keys)
      EXPECT_EQ(a < b, a_bytes < b_bytes);
  }
}

TEST(OrderedBytes, BoolsAndLiterals) {
  EXPECT_LT(Ordered(false), Ordered(true));
  EXPECT_EQ(Ordered(true), "\1");
  bool value = false;
  std::string_view in("\1x");
  ASSERT_TRUE(TakeOrdered(in, value));
  EXPECT_TRUE(value);
  EXPECT_EQ(in, "x");
  in = "\2";
  EXPECT_FALSE(TakeOrdered(in, value));
  in = "";
  EXPECT_FALSE(TakeOrdered(in, value));
  std::string out;
  AppendOrdered("text", out);
  EXPECT_EQ(out, std::string("text\0\1", 6));
}

TEST(OrderedBytes, WhatIsNeverWrittenIsRefused) {
  double number = 0;
  std::string bytes = std::string("\x7f", 1) + std::string(7, '\xff');  // -0
  std::string_view in = bytes;
  EXPECT_FALSE(TakeOrdered(in, number));
  bytes = std::string(7, '\xff') + '\xfe';  // another NaN
  in = bytes;
  EXPECT_FALSE(TakeOrdered(in, number));
  std::string text;
  bytes = std::string("a\0b\0\1", 5);
  in = bytes;
  EXPECT_FALSE(TakeOrdered(in, text));
}

TEST(Bytes, PrefixEndIsTheLeastStringAboveAll) {
  EXPECT_EQ(PrefixEnd("abc"), "abd");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_GT(PrefixEnd("a"), std::string("a") + std::string(9, '\xff'));
  EXPECT_EQ(PrefixEnd("\x7f"), "\x80");
}

TEST(Bytes, VarintsRoundTrip) {
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t value = i < 2 ? (i == 0 ? 0 : ~uint64_t{0}) : random.Next() >> random.Below(64);
    std::string bytes;
    AppendVarint(value, bytes);
    const size_t size = bytes.size();
    EXPECT_EQ(size, value == 0 ? 1 : (static_cast<size_t>(std::bit_width(value)) + 6) / 7);
    bytes += "rest";
    std::string_view in = bytes;
    uint64_t back = 0;
    ASSERT_TRUE(TakeVarint(in, back));
    EXPECT_EQ(back, value);
    EXPECT_EQ(in, "rest");
    std::string_view cut = std::string_view(bytes).substr(0, size - 1);
    EXPECT_FALSE(TakeVarint(cut, back));
  }
}

TEST(Bytes, VarintsBeyond64BitsAreRefused) {
  uint64_t value = 0;
  const std::string too_large = std::string(9, '\xff') + '\2';
  std::string_view in = too_large;
  EXPECT_FALSE(TakeVarint(in, value));
  const std::string endless(20, '\x80');
  in = endless;
  EXPECT_FALSE(TakeVarint(in, value));
}

TEST(Bytes, SizedAndFixedRoundTrip) {
  std::string bytes;
  AppendSized("hello", bytes);
  AppendSized("", bytes);
  AppendFixed(-2.5, bytes);
  AppendFixed(uint16_t{513}, bytes);
  std::string_view in = bytes;
  std::string_view text;
  double number = 0;
  uint16_t small = 0;
  ASSERT_TRUE(TakeSized(in, text));
  EXPECT_EQ(text, "hello");
  ASSERT_TRUE(TakeSized(in, text));
  EXPECT_EQ(text, "");
  ASSERT_TRUE(TakeFixed(in, number));
  EXPECT_EQ(number, -2.5);
  ASSERT_TRUE(TakeFixed(in, small));
  EXPECT_EQ(small, 513);
  EXPECT_FALSE(TakeFixed(in, small));
  in = std::string_view("\5abc");
  EXPECT_FALSE(TakeSized(in, text)) << "a length beyond the end";
}

TEST(Base64, KnownValues) {  // RFC 4648, section 10
  const std::pair<std::string, std::string> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xfb\xff", "+/8="}};
  for (const auto& [bytes, text] : known) {
    EXPECT_EQ(Base64(bytes), text);
    std::string back;
    EXPECT_TRUE(FromBase64(text, back));
    EXPECT_EQ(back, bytes);
  }
}

TEST(Base64, RoundTripsAndRefuses) {
  Random random(6);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random.Below(40), '\0');
    for (char& c : bytes)
      c = static_cast<char>(random.Next());
    std::string back = "left over";
    ASSERT_TRUE(FromBase64(Base64(bytes), back));
    EXPECT_EQ(back, bytes);
  }
  std::string back;
  for (const char* bad :
       {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zg=a", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm-_"}) {
    EXPECT_FALSE(FromBase64(bad, back)) << bad;
  }
}

}  // namespace
}  // namespace freshet
