#include <array>

#include "engine/base/number.h"
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

constexpr size_t DigitsOf(uint64_t value) {
  size_t digits = 1;
  for (; value >= 10; value /= 10)
    ++digits;
  return digits;
}

// The length of the shortest text of `rest` in units from `unit` on, and in `used` the units it takes (a bit
// each).
size_t Shortest(uint64_t rest, size_t unit, uint32_t& used) {
  used = 0;
  if (rest == 0) return 0;
  if (unit + 1 == kUnits.size()) {
    used = 1U << unit;
    return DigitsOf(rest) + kUnits[unit].name.size();
  }
  const size_t without = Shortest(rest, unit + 1, used);
  const uint64_t count = rest / kUnits[unit].width;
  if (count == 0) return without;
  uint32_t later = 0;
  const size_t with =
      DigitsOf(count) + kUnits[unit].name.size() + Shortest(rest % kUnits[unit].width, unit + 1, later);
  if (with > without) return without;
  used = later | (1U << unit);
  return with;
}

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
  uint32_t used = 0;
  Shortest(rest, 0, used);
  for (size_t unit = 0; unit < kUnits.size(); ++unit) {
    if ((used >> unit & 1) == 0) continue;
    out += std::to_string(rest / kUnits[unit].width);
    out += kUnits[unit].name;
    rest %= kUnits[unit].width;
  }
  return out;
}

}  // namespace freshet
