#include <array>

#include "engine/base/time.h"

namespace freshet {
namespace {

struct Unit {
  std::string_view name;
  uint64_t width;
};
constexpr std::array<Unit, 7> kUnits = {{
    {"w", 7 * static_cast<uint64_t>(kDay)},
    {"d", kDay},
    {"h", kHour},
    {"m", kMinute},
    {"s", kSecond},
    {"ms", kMillisecond},
    {"us", 1},
}};
constexpr uint64_t kLargest = uint64_t{1} << 63;  // of a negative duration

}  // namespace

std::optional<Duration> ParseDuration(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  size_t least_unit = 0;  // units go from large to small, each once
  while (!text.empty()) {
    size_t digits = 0;
    uint64_t count = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      if (count > kLargest / 10) return std::nullopt;
      count = count * 10 + static_cast<uint64_t>(text[digits] - '0');
    }
    size_t letters = 0;
    while (digits + letters < text.size() && text[digits + letters] >= 'a')
      ++letters;
    if (digits == 0 || letters == 0) return std::nullopt;
    size_t unit = least_unit;
    while (unit < kUnits.size() && kUnits[unit].name != text.substr(digits, letters))
      ++unit;
    if (unit == kUnits.size() || count > (kLargest - total) / kUnits[unit].width) return std::nullopt;
    total += count * kUnits[unit].width;
    least_unit = unit + 1;
    text.remove_prefix(digits + letters);
  }
  if (!negative && total == kLargest) return std::nullopt;
  return static_cast<Duration>(negative ? 0 - total : total);
}

std::string FormatDuration(Duration duration) {
  if (duration == 0) return "0s";
  auto rest = static_cast<uint64_t>(duration);
  std::string out;
  if (duration < 0) {
    rest = 0 - rest;
    out.push_back('-');
  }
  for (const Unit& unit : kUnits) {
    if (unit.name == "w" || rest < unit.width) continue;  // weeks are read, but 30d says more than 4w2d
    out += std::to_string(rest / unit.width);
    out += unit.name;
    rest %= unit.width;
  }
  return out;
}

}  // namespace freshet
