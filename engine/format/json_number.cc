#include "engine/format/json_number.h"

#include <optional>

#include "engine/base/number.h"

namespace freshet {
namespace {

constexpr uint64_t kLargest = uint64_t{1} << 63;  // of a negative int64

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

size_t DigitsAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && IsDigit(text[end]))
    ++end;
  return end - at;
}

bool AppendDigit(uint64_t& value, char digit) {
  const auto added = static_cast<uint64_t>(digit - '0');
  if (value > (kLargest - added) / 10) return false;
  value = value * 10 + added;
  return true;
}

// The exponent after the mantissa, held within limits that no record's digits can make up for.
int64_t ExponentOf(std::string_view text) {
  constexpr int64_t kFar = 1'000'000'000;
  if (text.empty()) return 0;
  text.remove_prefix(1);  // e
  const bool minus = text.front() == '-';
  int64_t exponent = 0;
  for (const char c : text) {
    if (IsDigit(c) && exponent < kFar) exponent = exponent * 10 + (c - '0');
  }
  return minus ? -exponent : exponent;
}

// A number of few digits and no exponent: `digits` / 10^`fraction`, its sign aside.
struct Short {
  uint64_t digits = 0;
  size_t fraction = 0;
};

// The most characters, the point among them. As many digits both an int64 and, as a whole number, a double
// hold exactly.
constexpr size_t kShortSize = 15;
// By digits after the point: it and at least one digit come before those.
constexpr double kPowersOfTen[kShortSize - 1] = {1e0, 1e1, 1e2, 1e3,  1e4,  1e5,  1e6,
                                                 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13};

std::optional<Short> ReadShort(std::string_view token) {
  if (token.size() > kShortSize) return std::nullopt;
  Short number;
  for (size_t i = 0; i < token.size(); ++i) {
    if (IsDigit(token[i])) {
      number.digits = number.digits * 10 + static_cast<uint64_t>(token[i] - '0');
    } else if (token[i] == '.') {
      number.fraction = token.size() - i - 1;
    } else {
      return std::nullopt;
    }
  }
  return number;
}

bool TakeMinus(std::string_view& token) {
  const bool minus = token.front() == '-';
  token.remove_prefix(minus ? 1 : 0);
  return minus;
}

}  // namespace

bool IsJsonNumber(std::string_view token) {
  size_t at = !token.empty() && token[0] == '-' ? 1 : 0;
  const size_t whole = DigitsAt(token, at);
  if (whole == 0 || (whole > 1 && token[at] == '0')) return false;
  at += whole;
  if (at < token.size() && token[at] == '.') {
    const size_t fraction = DigitsAt(token, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '-' || token[at] == '+')) ++at;
    const size_t exponent = DigitsAt(token, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == token.size();
}

NumberFault ReadInteger(std::string_view token, int shift, bool floor, int64_t& value) {
  const bool minus = TakeMinus(token);
  if (shift == 0) {
    if (const auto number = ReadShort(token); number && number->fraction == 0) {
      value = static_cast<int64_t>(minus ? 0 - number->digits : number->digits);
      return NumberFault::kNone;
    }
  }
  const size_t mantissa = token.find_first_of("eE");
  const std::string_view digits = token.substr(0, mantissa);
  const size_t point = digits.find('.');
  // How many of the mantissa's digits stand before the point once exponent and shift have moved it.
  int64_t left = static_cast<int64_t>(point == std::string_view::npos ? digits.size() : point) + shift;
  if (mantissa != std::string_view::npos) left += ExponentOf(token.substr(mantissa));
  uint64_t magnitude = 0;
  bool fraction = false;
  for (const char c : digits) {
    if (c == '.') continue;
    if (left-- > 0) {
      if (!AppendDigit(magnitude, c)) return NumberFault::kTooLarge;
    } else {
      fraction = fraction || c != '0';
    }
  }
  for (; left > 0 && magnitude > 0; --left) {
    if (!AppendDigit(magnitude, '0')) return NumberFault::kTooLarge;
  }
  if (fraction && !floor) return NumberFault::kFraction;
  if (fraction && minus) ++magnitude;
  if (magnitude > kLargest || (magnitude == kLargest && !minus)) return NumberFault::kTooLarge;
  value = static_cast<int64_t>(minus ? 0 - magnitude : magnitude);
  return NumberFault::kNone;
}

NumberFault ReadFloat(std::string_view token, double& value) {
  const bool minus = TakeMinus(token);
  if (const auto number = ReadShort(token)) {  // both are exact, so one division rounds to the nearest
    value = static_cast<double>(number->digits) / kPowersOfTen[number->fraction];
  } else if (const auto read = ParseDouble(token)) {
    value = *read;
  } else {
    return NumberFault::kTooLarge;
  }
  if (minus) value = -value;
  return NumberFault::kNone;
}

}  // namespace freshet
