#include "operators/windows/tile_layout.h"

#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(TileLayout, WidthFitsTheWindows) {
  EXPECT_EQ(TileWidth(kHour, kHour), 5 * kMinute);
  EXPECT_EQ(TileWidth(kHour, 3 * kHour), 15 * kMinute);
  EXPECT_EQ(TileWidth(kDay, kDay), 2 * kHour);
  EXPECT_EQ(TileWidth(kHour, kDay), kHour) << "no longer than the smallest window";
  EXPECT_EQ(TileWidth(30 * kDay, 30 * kDay), 2 * kDay);
  for (Duration window = 1; window < 40'000 * kDay; window = window * 5 / 4 + 1) {
    const Duration width = TileWidth(window, window);
    EXPECT_GE(width, 1);
    EXPECT_TRUE(width <= window / 12 || width == 1) << window;
    EXPECT_LE(window / width, 130) << window;
  }
}

TEST(TileLayout, WindowsOfLikeLengthShareTiles) {
  using Groups = std::vector<std::vector<Duration>>;
  EXPECT_EQ(Tiers({3 * kHour, kHour, 3 * kHour}), (Groups{{kHour, 3 * kHour}}));
  EXPECT_EQ(Tiers({kDay, kHour}), (Groups{{kHour, kDay}}));
  EXPECT_EQ(Tiers({kDay + 1, kHour}), (Groups{{kHour}, {kDay + 1}}));
  EXPECT_EQ(Tiers({30 * kDay, kMinute, 10 * kMinute, kDay}),
            (Groups{{kMinute, 10 * kMinute}, {kDay}, {30 * kDay}}));
}

TEST(TileLayout, TilesBeforeTheEpochAreNumberedDownwards) {
  TileLayout layout;
  layout.width = 10;
  EXPECT_EQ(layout.TileOf(0), 0);
  EXPECT_EQ(layout.TileOf(9), 0);
  EXPECT_EQ(layout.TileOf(-1), -1);
  EXPECT_EQ(layout.TileOf(-10), -1);
  EXPECT_EQ(layout.TileOf(-11), -2);
  EXPECT_EQ(layout.StartOf(-2), -20);
}

TEST(TileLayout, NothingOfARowInTimeIsGone) {
  TileLayout layout;
  layout.width = 10;
  layout.largest = 100;
  layout.allowed_lateness = 7;
  EXPECT_EQ(layout.Horizon(kMinTime), kMinTime);
  EXPECT_EQ(layout.Horizon(1'000), 893);
  // A tile leaves when its last instant is before the horizon, and not earlier.
  for (Time watermark = 0; watermark < 400; ++watermark) {
    for (int64_t tile = -20; tile < 40; ++tile) {
      const bool left = layout.ExpiryOf(tile) <= watermark;
      EXPECT_EQ(left, layout.StartOf(tile) + layout.width - 1 < layout.Horizon(watermark));
    }
  }
}

TEST(TileLayout, TilesLeaveTogetherAndNotTooSoon) {
  TileLayout layout;
  layout.width = 10;
  layout.largest = 100;
  layout.allowed_lateness = 7;
  const Duration grain = TileLayout::kTilesAtOnce * layout.width;
  for (int64_t tile = -20; tile < 40; ++tile) {
    EXPECT_GE(layout.LeavingOf(tile), layout.ExpiryOf(tile));
    EXPECT_LT(layout.LeavingOf(tile), layout.ExpiryOf(tile) + grain);
    EXPECT_EQ(FloorTo(layout.LeavingOf(tile), grain), layout.LeavingOf(tile));
  }
}

TEST(TileLayout, EqualStatesAreKeptOnce) {
  TileLayout layout;
  const Fold count = *FindAggregate("count")->fold(std::nullopt);
  const Fold sum = *FindAggregate("sum")->fold(Type::kFloat64);
  EXPECT_EQ(layout.AddState(count, {0, 16, 1}), 0U);
  EXPECT_EQ(layout.AddState(sum, {8, 16, 2}), 1U);
  EXPECT_EQ(layout.AddState(count, {0, 16, 1}), 0U);
  EXPECT_EQ(layout.AddState(count, {0, 16, 2}), 2U);
  layout.Close(17);
  EXPECT_EQ(layout.states[0].offset, sizeof(TileHeader));
  EXPECT_EQ(layout.states[1].offset, sizeof(TileHeader) + count.size);
  EXPECT_EQ(layout.rows_offset, sizeof(TileHeader) + size_t{2} * count.size + sum.size);
  EXPECT_EQ(layout.chunk_rows, 4096U / 17);
}

}  // namespace
}  // namespace freshet
