#include "engine/base/number.h"

#include <array>
#include <charconv>
#include <cmath>

namespace freshet {

void AppendDouble(double value, std::string& out) {
  // Whole numbers of up to fifteen digits are written out: 100000, not 1e+05.
  if (std::fabs(value) < 1e15 && value == std::trunc(value) && (value != 0 || !std::signbit(value))) {
    AppendInt(static_cast<int64_t>(value), out);
    return;
  }
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

// Whether the text is digits [. digits] [e [+-] digits], with a digit before or after the point.
bool IsDecimal(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9')
      ++i;
    return i - from;
  };
  size_t count = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    count += digits();
  }
  if (count == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

// Of a decimal that does not fit a double: whether it is too small (not too large), by the power of ten at
// which its first digit that is not zero stands.
bool IsTiny(std::string_view text) {
  int64_t place = 0;
  bool found = false;
  bool fraction = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      fraction = true;
    } else if (!found) {
      if (fraction) --place;
      found = text[i] != '0';
    } else if (!fraction) {
      ++place;
    }
  }
  int64_t exponent = 0;
  const bool negative = i + 1 < text.size() && text[i + 1] == '-';
  for (; i < text.size(); ++i) {
    if (text[i] >= '0' && text[i] <= '9' && exponent < 1'000'000'000)
      exponent = exponent * 10 + (text[i] - '0');
  }
  return place + (negative ? -exponent : exponent) < 0;
}

// The sign, taken off the front.
bool TakeMinus(std::string_view& text) {
  const bool minus = !text.empty() && text.front() == '-';
  if (minus || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  return minus;
}

}  // namespace

std::optional<double> ParseDouble(std::string_view text) {
  const bool minus = TakeMinus(text);
  if (!IsDecimal(text)) return std::nullopt;  // from_chars takes more: "inf", "nan"
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && IsTiny(text)) return minus ? -0.0 : 0.0;
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return minus ? -value : value;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  const bool minus = TakeMinus(text);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr uint64_t kLargest = uint64_t{1} << 63;
  if (value > kLargest || (value == kLargest && !minus)) return std::nullopt;
  return static_cast<int64_t>(minus ? 0 - value : value);
}

namespace {

struct SizeUnit {
  std::string_view name;
  int64_t bytes;
};
constexpr std::array<SizeUnit, 10> kSizeUnits = {{
    {"TiB", int64_t{1} << 40},
    {"GiB", int64_t{1} << 30},
    {"MiB", int64_t{1} << 20},
    {"KiB", int64_t{1} << 10},
    {"B", 1},
    {"", 1},
    {"kB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
}};

}  // namespace

std::optional<int64_t> ParseByteSize(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  std::string_view unit = digits == std::string_view::npos ? std::string_view() : text.substr(digits);
  if (unit.size() > 1 && unit.front() == ' ') unit.remove_prefix(1);
  for (const SizeUnit& known : kSizeUnits) {
    if (known.name != unit) continue;
    int64_t bytes = 0;
    if (const auto whole = ParseInt(number)) {
      if (__builtin_mul_overflow(*whole, known.bytes, &bytes)) return std::nullopt;
      return bytes;
    }
    const auto part = ParseDouble(number);
    if (!part) return std::nullopt;
    const double product = *part * static_cast<double>(known.bytes);
    if (product >= 0x1p63 || product != std::floor(product)) return std::nullopt;
    return static_cast<int64_t>(product);
  }
  return std::nullopt;
}

std::string FormatByteSize(int64_t bytes) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (bytes == 0 || bytes % unit.bytes != 0) continue;
    return std::to_string(bytes / unit.bytes) + std::string(unit.name);
  }
  return "0B";
}

}  // namespace freshet
