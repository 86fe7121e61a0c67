#include "engine/cli/progress.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

LaneProgress At(uint64_t rows, int64_t lag, uint64_t dead_letters = 0) {
  LaneProgress progress;
  progress.rows = rows;
  progress.commits = 7;
  progress.lag = lag;
  progress.event_time = 0;
  progress.dead_letters = dead_letters;
  return progress;
}

// What showing `all`, a second apart, prints.
std::string Printed(const std::vector<LaneProgress>& all, TerminalColumns columns) {
  ManualClock clock(0);
  testing::internal::CaptureStderr();
  ProgressLine line(clock, std::move(columns), kSecond);
  for (const LaneProgress& progress : all) {
    clock.Advance(kSecond);
    line.Show(progress);
  }
  line.Finish();
  return testing::internal::GetCapturedStderr();
}

TEST(Progress, InAPipeIsPlainLines) {
  EXPECT_EQ(Printed({At(100, 300), At(200, 200)}, {}),
            "rows 100  commits 7  rate 100/s  lag 300  left 4s  event time 1970-01-01T00:00:00Z\n"
            "rows 200  commits 7  rate 100/s  lag 200  left 3s  event time 1970-01-01T00:00:00Z\n");
}

TEST(Progress, CountsDeadLettersWhereThereAreAny) {
  EXPECT_EQ(Printed({At(100, 300, 2)}, {}),
            "rows 100  commits 7  rate 100/s  lag 300  left 4s  dead letters 2  event time "
            "1970-01-01T00:00:00Z\n");
}

TEST(Progress, ShowsTheLatestOnceAtTheEnd) {
  ManualClock clock(0);
  testing::internal::CaptureStderr();
  ProgressLine line(clock, {}, kSecond);
  clock.Advance(kSecond);
  line.Show(At(100, 300));
  line.Show(At(400, 0));  // too soon
  line.Finish();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "rows 100  commits 7  rate 100/s  lag 300  left 4s  event time 1970-01-01T00:00:00Z\n"
            "rows 400  commits 7  rate 400/s  lag 0  event time 1970-01-01T00:00:00Z\n");
  EXPECT_EQ(Printed({}, {}), "");
}

TEST(Progress, OnATerminalIsRedrawnWithABar) {
  EXPECT_EQ(
      Printed({At(100, 300)}, [] { return size_t{200}; }),
      "\r\033[K[######..................] rows 100  commits 7  rate 100/s  lag 300  left 4s  event time "
      "1970-01-01T00:00:00Z"
      "\r\033[K[######..................] rows 100  commits 7  rate 100/s  lag 300  left 4s  event time "
      "1970-01-01T00:00:00Z\n");
}

// A line that wraps would be left behind at each redrawing.
TEST(Progress, NeverWraps) {
  for (const size_t columns : {0, 1, 2, 20, 40, 80, 100, 1000}) {
    const std::string text = Printed({At(123456789, 123456789, 99)}, [&] { return columns; });
    const std::string start = "\r\033[K";
    ASSERT_TRUE(text.starts_with(start)) << text;
    const size_t length = text.find('\r', 1) - start.size();
    EXPECT_LE(length, columns == 0 ? 0 : columns - 1) << text;
    if (columns == 80) {
      EXPECT_TRUE(text.starts_with(start + "[#####.....] rows 123456789  commits 7  rate ")) << text;
    }
  }
}

TEST(Progress, AStandInHasNoBar) {
  LaneProgress standing_by;
  standing_by.standing_by = true;
  EXPECT_EQ(Printed({standing_by}, {}), "standing by\n");
  EXPECT_EQ(Printed({standing_by}, [] { return size_t{80}; }), "\r\033[Kstanding by\r\033[Kstanding by\n");
}

}  // namespace
}  // namespace freshet
