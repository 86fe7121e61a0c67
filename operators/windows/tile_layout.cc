#include "operators/windows/tile_layout.h"

#include <algorithm>
#include <array>

namespace freshet {

uint32_t TileLayout::AddState(const Fold& fold, Operand operand) {
  for (uint32_t i = 0; i < states.size(); ++i) {
    if (states[i].fold.add == fold.add && states[i].operand == operand) return i;
  }
  states.push_back({fold, operand, 0});
  return static_cast<uint32_t>(states.size() - 1);
}

void TileLayout::Close(uint32_t width_of_row) {
  uint32_t offset = sizeof(TileHeader);
  for (TileState& state : states) {
    state.offset = offset;
    offset += state.fold.size;
  }
  rows_offset = offset;
  row_width = width_of_row;
  chunk_rows = static_cast<uint32_t>(std::max<size_t>(kChunkBytes / row_width, 16));
}

std::vector<std::vector<Duration>> Tiers(std::vector<Duration> windows) {
  std::sort(windows.begin(), windows.end());
  windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
  std::vector<std::vector<Duration>> tiers;
  for (const Duration window : windows) {
    if (tiers.empty() || window > TileLayout::kMostPerTier * tiers.back().front()) {
      tiers.emplace_back();
    }
    tiers.back().push_back(window);
  }
  return tiers;
}

Duration TileWidth(Duration smallest, Duration largest) {
  static constexpr std::array kRound = {
      Duration{1},        Duration{10},       Duration{100},     1 * kMillisecond,  2 * kMillisecond,
      5 * kMillisecond,   10 * kMillisecond,  20 * kMillisecond, 50 * kMillisecond, 100 * kMillisecond,
      200 * kMillisecond, 500 * kMillisecond, 1 * kSecond,       2 * kSecond,       5 * kSecond,
      10 * kSecond,       15 * kSecond,       30 * kSecond,      1 * kMinute,       2 * kMinute,
      5 * kMinute,        10 * kMinute,       15 * kMinute,      20 * kMinute,      30 * kMinute,
      1 * kHour,          2 * kHour,          3 * kHour,         4 * kHour,         6 * kHour,
      8 * kHour,          12 * kHour,         1 * kDay,          2 * kDay,          5 * kDay,
      10 * kDay,          15 * kDay,          30 * kDay,         60 * kDay,         120 * kDay,
      240 * kDay,         480 * kDay,         960 * kDay,        1920 * kDay,       3840 * kDay};
  const Duration most = std::min(smallest, largest / 12);
  Duration width = 1;
  for (const Duration round : kRound) {
    if (round <= most) width = round;
  }
  return width;
}

}  // namespace freshet
