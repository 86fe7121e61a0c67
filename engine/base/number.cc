#include "engine/base/number.h"

#include <array>
#include <charconv>
#include <cmath>

namespace freshet {

void AppendDouble(double value, std::string& out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void AppendInt(int64_t value, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

std::string FormatDouble(double value) {
  std::string out;
  AppendDouble(value, out);
  return out;
}

namespace {

template <class T>
std::optional<T> Whole(std::string_view text) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) return std::nullopt;
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> ParseDouble(std::string_view text) {
  // from_chars takes "inf" and "nan"; a number has a digit first, after a sign or a point.
  if (text.find_first_of("iInN") != std::string_view::npos) return std::nullopt;
  const std::optional<double> value = Whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  return Whole<int64_t>(text);
}

namespace {
struct SizeUnit {
  std::string_view name;
  double bytes;
};
constexpr std::array<SizeUnit, 10> kUnits{{{"", 1},
                                           {"B", 1},
                                           {"KiB", 0x1p10},
                                           {"MiB", 0x1p20},
                                           {"GiB", 0x1p30},
                                           {"TiB", 0x1p40},
                                           {"kB", 1e3},
                                           {"MB", 1e6},
                                           {"GB", 1e9},
                                           {"TB", 1e12}}};
}  // namespace

std::optional<int64_t> ParseByteSize(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789.");
  std::string_view unit = digits == std::string_view::npos ? std::string_view() : text.substr(digits);
  const std::optional<double> number = ParseDouble(text.substr(0, text.size() - unit.size()));
  if (!unit.empty() && unit[0] == ' ') unit.remove_prefix(1);
  if (!number) return std::nullopt;
  for (const SizeUnit& known : kUnits) {
    if (known.name != unit) continue;
    const double bytes = *number * known.bytes;
    if (bytes >= 0x1p63 || bytes != std::floor(bytes)) return std::nullopt;
    return static_cast<int64_t>(bytes);
  }
  return std::nullopt;
}

std::string FormatByteSize(int64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (unit + 1 < kNames.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + std::string(kNames[unit]);
}

}  // namespace freshet
