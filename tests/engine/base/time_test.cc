#include "engine/base/time.h"

#include <gtest/gtest.h>

#include "engine/base/calendar.h"
#include "engine/base/clock.h"
#include "engine/base/random.h"

namespace freshet {
namespace {

constexpr Time kFirst = DaysFromCivil({1, 1, 1}) * kDay;
constexpr Time kLast = DaysFromCivil({10000, 1, 1}) * kDay - 1;

TEST(Timestamp, KnownInstants) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTimestamp("2013-02-08T15:23:00Z"), 1360336980 * kSecond);
  EXPECT_EQ(ParseTimestamp("2000-02-29T12:00:00.5+01:30"), 951820200 * kSecond + 500 * kMillisecond);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.999999Z"), -1);
  EXPECT_EQ(ParseTimestamp("2013-02-08t15:23:00z"), ParseTimestamp("2013-02-08 15:23:00-00:00"));
  EXPECT_EQ(ParseTimestamp("2013-01-01T00:00:00.123456789Z"), ParseTimestamp("2013-01-01T00:00:00.123456Z"));
  EXPECT_EQ(FormatTimestamp(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(1360336980 * kSecond), "2013-02-08T15:23:00Z");
  EXPECT_EQ(FormatTimestamp(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTimestamp(120 * kMillisecond), "1970-01-01T00:00:00.12Z");
  EXPECT_EQ(FormatTimestamp(kFirst), "0001-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(kLast), "9999-12-31T23:59:59.999999Z");
}

TEST(Timestamp, TimesOutsideItsYearsStillPrint) {
  EXPECT_EQ(FormatTimestamp(kMinTime), "-290308-12-21T19:59:05.224192Z");
  EXPECT_EQ(FormatTimestamp(kMaxTime), "+294247-01-10T04:00:54.775807Z");
}

TEST(Timestamp, RoundTripsOverAllYears) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    Time time = kFirst + static_cast<Time>(random.Below(static_cast<uint64_t>(kLast - kFirst) + 1));
    if (i % 3 == 0) time = FloorTo(time, kSecond);
    EXPECT_EQ(ParseTimestamp(FormatTimestamp(time)), time);
  }
}

// An independent count: from day to day through four centuries around each rule of the calendar.
TEST(Timestamp, CountsEveryDay) {
  int64_t days = DaysFromCivil({1600, 1, 1});
  for (int64_t year = 1600; year < 2404; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const uint32_t lengths[] = {31, leap ? 29U : 28U, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (uint32_t month = 1; month <= 12; ++month) {
      EXPECT_EQ(StartOfMonth(days * kDay + kHour), days * kDay);
      for (uint32_t day = 1; day <= lengths[month - 1]; ++day, ++days) {
        char text[40];
        std::snprintf(text, sizeof(text), "%04d-%02u-%02uT00:00:00Z", static_cast<int>(year), month, day);
        ASSERT_EQ(ParseTimestamp(text), days * kDay) << text;
        ASSERT_EQ(FormatTimestamp(days * kDay), text);
      }
      char past[40];
      std::snprintf(past, sizeof(past), "%04d-%02u-%02uT00:00:00Z", static_cast<int>(year), month,
                    lengths[month - 1] + 1);
      ASSERT_EQ(ParseTimestamp(past), std::nullopt) << past;
    }
  }
}

TEST(Timestamp, EveryOffset) {
  const Time noon = *ParseTimestamp("2013-06-01T12:00:00Z");
  for (int minutes = -(23 * 60 + 59); minutes <= 23 * 60 + 59; ++minutes) {
    const int size = minutes < 0 ? -minutes : minutes;
    char text[40];
    std::snprintf(text, sizeof(text), "2013-06-01T12:00:00%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60,
                  size % 60);
    EXPECT_EQ(ParseTimestamp(text), noon - minutes * kMinute) << text;
  }
}

TEST(Timestamp, LeapSecondsAreTheSecondAfter) {
  EXPECT_EQ(ParseTimestamp("2016-12-31T23:59:60Z"), ParseTimestamp("2017-01-01T00:00:00Z"));
  EXPECT_EQ(ParseTimestamp("2016-12-31T18:59:60.5-05:00"), ParseTimestamp("2017-01-01T00:00:00.5Z"));
  EXPECT_EQ(ParseTimestamp("2016-12-31T23:58:60Z"), std::nullopt);
}

TEST(Timestamp, MalformedTextIsRefused) {
  for (const char* text : {"",
                           "2013",
                           "2013-02-30T00:00:00Z",
                           "2013-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2013-13-01T00:00:00Z",
                           "2013-00-01T00:00:00Z",
                           "2013-01-00T00:00:00Z",
                           "2013-01-01T24:00:00Z",
                           "2013-01-01T00:60:00Z",
                           "2013-01-01T00:00:61Z",
                           "2013-01-01T00:00:00",
                           "2013-01-01T00:00Z",
                           "2013-01-01",
                           "2013-01-01T00:00:00Zx",
                           "2013-01-01T00:00:00Z ",
                           " 2013-01-01T00:00:00Z",
                           "2013-01-01T00:00:00.Z",
                           "2013-01-01T00:00:00.1234567890Z",
                           "2013-01-01T00:00:00+24:00",
                           "2013-01-01T00:00:00+00:60",
                           "2013-01-01T00:00:00+0000",
                           "2013-01-01T00:00:00+00",
                           "2013-1-01T00:00:00Z",
                           "0000-01-01T00:00:00Z",
                           "0001-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "10000-01-01T00:00:00Z",
                           "-001-01-01T00:00:00Z",
                           "2013-01-01_00:00:00Z",
                           "2013/01/01T00:00:00Z",
                           "2013-01-01T00:00:00,5Z",
                           "2013-01-01T00:00:0 Z",
                           "+013-01-01T00:00:00Z",
                           "2013-01-01T0\xc2\xb2:00:00Z"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
  const std::string good = "2013-02-08T15:23:00.125+05:30";
  ASSERT_TRUE(ParseTimestamp(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(ParseTimestamp(std::string_view(good).substr(0, size)), std::nullopt) << size;
  }
}

// The neighbours of the digits, a letter, a space and a byte above ASCII, each at each place.
TEST(Timestamp, OneWrongCharacterIsRefused) {
  for (const std::string good : {"2013-02-08T15:23:00Z", "2011-11-11T11:11:11+05:30"}) {
    ASSERT_TRUE(ParseTimestamp(good));
    for (size_t at = 0; at < 19; ++at) {
      for (const char c : {'/', ':', 'A', ' ', '\x80'}) {
        std::string text = good;
        text[at] = c;
        const bool fits = text == good || (at == 10 && c == ' ');
        EXPECT_EQ(ParseTimestamp(text), fits ? ParseTimestamp(good) : std::nullopt) << text;
      }
    }
  }
}

TEST(Duration, KnownTexts) {
  EXPECT_EQ(ParseDuration("200ms"), 200 * kMillisecond);
  EXPECT_EQ(ParseDuration("1h30m"), 90 * kMinute);
  EXPECT_EQ(ParseDuration("3d"), 3 * kDay);
  EXPECT_EQ(ParseDuration("2w"), 14 * kDay);
  EXPECT_EQ(ParseDuration("0s"), 0);
  EXPECT_EQ(ParseDuration("-5m"), -5 * kMinute);
  EXPECT_EQ(ParseDuration("7us"), 7);
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(90 * kMinute), "1h30m");
  EXPECT_EQ(FormatDuration(30 * kDay), "30d");
  EXPECT_EQ(FormatDuration(200 * kMillisecond), "200ms");
  EXPECT_EQ(FormatDuration(-5 * kMinute), "-5m");
  EXPECT_EQ(FormatDuration(kMinTime), "-106751991d4h54s775ms808us");
}

TEST(Duration, RoundTrips) {
  Random random(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto duration = static_cast<Duration>(random.Next()) >> random.Below(64);
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration);
  }
  EXPECT_EQ(ParseDuration(FormatDuration(kMinTime)), kMinTime);
  EXPECT_EQ(ParseDuration(FormatDuration(kMaxTime)), kMaxTime);
}

TEST(Duration, MalformedTextIsRefused) {
  for (const char* text : {"",           "-",
                           "5",          "s",
                           "5 s",        "5s ",
                           " 5s",        "1.5h",
                           "1h1h",       "30m1h",
                           "5S",         "5min",
                           "+5s",        "--5s",
                           "1h-5m",      "9223372036854775808us",
                           "106751992d", "99999999999999999999s",
                           "5ms2s",      "1h 5m"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(FloorTo, IsRightOnBothSidesOfTheEpoch) {
  EXPECT_EQ(FloorTo(7, 5), 5);
  EXPECT_EQ(FloorTo(5, 5), 5);
  EXPECT_EQ(FloorTo(-1, 5), -5);
  EXPECT_EQ(FloorTo(-5, 5), -5);
}

TEST(StartOfMonth, AtTheEdges) {
  EXPECT_EQ(StartOfMonth(*ParseTimestamp("2013-02-28T23:59:59.999999Z")),
            ParseTimestamp("2013-02-01T00:00:00Z"));
  EXPECT_EQ(StartOfMonth(*ParseTimestamp("2013-03-01T00:00:00Z")), ParseTimestamp("2013-03-01T00:00:00Z"));
  EXPECT_EQ(StartOfMonth(-1), ParseTimestamp("1969-12-01T00:00:00Z"));
  EXPECT_EQ(StartOfMonth(kMinTime), kMinTime) << "no earlier time exists";
  EXPECT_LT(StartOfMonth(kMaxTime), kMaxTime);
}

TEST(Clock, ManualClockMovesOnlyWhenTold) {
  ManualClock clock(5);
  EXPECT_EQ(clock.Now(), 5);
  clock.Advance(kSecond);
  EXPECT_EQ(clock.Now(), 5 + kSecond);
  EXPECT_EQ(clock.Steady(), 5 + kSecond);
}

TEST(Clock, SystemClockIsInMicroseconds) {
  const SystemClock clock;
  EXPECT_GT(clock.Now(), *ParseTimestamp("2024-01-01T00:00:00Z"));
  EXPECT_LT(clock.Now(), *ParseTimestamp("2200-01-01T00:00:00Z"));
  const Duration before = clock.Steady();
  EXPECT_GE(clock.Steady(), before);
}

}  // namespace
}  // namespace freshet
