#include "engine/base/number.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

TEST(Number, DoublesAsText) {
  EXPECT_EQ(FormatDouble(0.1), "0.1");
  EXPECT_EQ(FormatDouble(1e30), "1e+30");
  EXPECT_EQ(FormatDouble(3), "3");
  EXPECT_EQ(FormatDouble(100000), "100000");
  EXPECT_EQ(FormatDouble(-1e14), "-100000000000000");
  EXPECT_EQ(FormatDouble(0), "0");
  EXPECT_EQ(FormatDouble(-0.0), "-0");
  EXPECT_EQ(FormatDouble(-2.5), "-2.5");
}

TEST(Number, EveryDoubleComesBack) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    double value = std::bit_cast<double>(random.Next());
    if (i % 4 == 0) value = static_cast<double>(static_cast<int64_t>(random.Next()) >> random.Below(64));
    if (!std::isfinite(value)) continue;
    const auto back = ParseDouble(FormatDouble(value));
    ASSERT_TRUE(back) << FormatDouble(value);
    EXPECT_EQ(std::bit_cast<uint64_t>(*back), std::bit_cast<uint64_t>(value));
  }
}

TEST(Number, DoublesAreReadWhole) {
  EXPECT_EQ(ParseDouble("1.5e3"), 1500);
  EXPECT_EQ(ParseDouble("+2"), 2);
  EXPECT_EQ(ParseDouble(".5"), 0.5);
  EXPECT_EQ(ParseDouble("1e-400"), 0);
  EXPECT_EQ(ParseDouble("0.00000001e-400"), 0);
  EXPECT_EQ(ParseDouble("123e-320"), 123e-320);
  EXPECT_EQ(ParseDouble("123e-330"), 0);
  EXPECT_TRUE(std::signbit(*ParseDouble("-1e-400")));
  EXPECT_EQ(ParseDouble("12345678901234567890123"), 12345678901234567890123.0);
  for (const char* text : {"",
                           " 1",
                           "1 ",
                           "1x",
                           "inf",
                           "nan",
                           "-inf",
                           "infinity",
                           "0x10",
                           "1e",
                           "1e+",
                           ".",
                           "-",
                           "+",
                           "+-1",
                           "--1",
                           "1e400",
                           "-1e400",
                           "1e99999999999999999999",
                           "1,5",
                           "1_000"}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
}

TEST(Number, IntsAreReadWhole) {
  using Limits = std::numeric_limits<int64_t>;
  for (const int64_t value : {int64_t{0}, int64_t{-1}, Limits::min(), Limits::max(), int64_t{42}}) {
    std::string text;
    AppendInt(value, text);
    EXPECT_EQ(ParseInt(text), value);
  }
  EXPECT_EQ(ParseInt("+7"), 7);
  for (const char* text :
       {"", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808", "-9223372036854775809", "-", "+-1"}) {
    EXPECT_EQ(ParseInt(text), std::nullopt) << text;
  }
}

TEST(Number, ByteSizes) {
  EXPECT_EQ(ParseByteSize("64MiB"), 64 << 20);
  EXPECT_EQ(ParseByteSize("1.5 GiB"), 3LL << 29);
  EXPECT_EQ(ParseByteSize("4096"), 4096);
  EXPECT_EQ(ParseByteSize("3 kB"), 3000);
  EXPECT_EQ(ParseByteSize("2TB"), 2'000'000'000'000);
  EXPECT_EQ(ParseByteSize("7B"), 7);
  EXPECT_EQ(ParseByteSize("9223372036854775807"), std::numeric_limits<int64_t>::max());
  for (const char* text :
       {"", "MiB", "-1MiB", "1  MiB", "1 ", "1mib", "1.2.3MiB", "0.3B", "1.5", "9999999TiB", "1MiBs"}) {
    EXPECT_EQ(ParseByteSize(text), std::nullopt) << text;
  }
  EXPECT_EQ(FormatByteSize(0), "0B");
  EXPECT_EQ(FormatByteSize(64 << 20), "64MiB");
  EXPECT_EQ(FormatByteSize(1000), "1000B");
  Random random(2);
  for (int i = 0; i < 10'000; ++i) {
    const auto bytes = static_cast<int64_t>(random.Next() >> (1 + random.Below(63)));
    EXPECT_EQ(ParseByteSize(FormatByteSize(bytes)), bytes);
  }
}

}  // namespace
}  // namespace freshet
