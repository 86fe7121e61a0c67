#include <cstdlib>

#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/base/time.h"

namespace freshet {
namespace {

static_assert(kFirstTimestamp == DaysFromCivil({1, 1, 1}) * kDay);
static_assert(kLastTimestamp == DaysFromCivil({10000, 1, 1}) * kDay - 1);

// Reads what follows the seconds of a timestamp from the left; `ok` turns false at the first character that
// does not fit.
struct Reader {
  std::string_view rest;
  bool ok = true;

  uint32_t Digits(size_t count) {
    if (rest.size() < count) ok = false;
    if (!ok) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto digit = static_cast<uint32_t>(rest[i] - '0');
      ok = ok && digit <= 9;
      value = value * 10 + digit;
    }
    rest.remove_prefix(count);
    return value;
  }
  char Next() {
    if (rest.empty()) ok = false;
    if (!ok) return '\0';
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  }
  void Expect(char expected) {
    if (Next() != expected) ok = false;
  }
  bool At(char c) const { return !rest.empty() && rest.front() == c; }
};

// ".5" to microseconds; what is below one is cut.
Duration ReadFraction(Reader& reader) {
  if (!reader.At('.')) return 0;
  reader.Next();
  Duration value = 0;
  size_t digits = 0;
  for (; !reader.rest.empty() && reader.rest.front() >= '0' && reader.rest.front() <= '9'; ++digits) {
    const char c = reader.Next();
    if (digits < 6) value = value * 10 + (c - '0');
  }
  if (digits == 0 || digits > 9) reader.ok = false;
  for (; digits < 6; ++digits)
    value *= 10;
  return value;
}

Duration ReadOffset(Reader& reader) {
  const char sign = reader.Next();
  if (sign == 'Z' || sign == 'z') return 0;
  if (sign != '+' && sign != '-') reader.ok = false;
  const uint32_t hours = reader.Digits(2);
  reader.Expect(':');
  const uint32_t minutes = reader.Digits(2);
  if (hours > 23 || minutes > 59) reader.ok = false;
  const Duration offset = hours * kHour + minutes * kMinute;
  return sign == '-' ? -offset : offset;
}

void AppendPadded(uint64_t value, size_t width, std::string& out) {
  char digits[20];
  for (size_t i = width; i > 0; --i) {
    digits[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits, width);
}

}  // namespace

std::optional<Time> ParseTimestamp(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kShape.size()) return std::nullopt;
  Reader reader{text.substr(kShape.size())};
  const auto two = [&](size_t at) {
    const auto tens = static_cast<uint32_t>(text[at] - '0');
    const auto ones = static_cast<uint32_t>(text[at + 1] - '0');
    if (tens > 9 || ones > 9) reader.ok = false;
    return tens * 10 + ones;
  };
  const uint32_t year = two(0) * 100 + two(2);
  const uint32_t month = two(5);
  const uint32_t day = two(8);
  const uint32_t hour = two(11);
  const uint32_t minute = two(14);
  const uint32_t second = two(17);
  const Duration fraction = ReadFraction(reader);
  const Duration offset = ReadOffset(reader);
  if (!reader.ok || !reader.rest.empty()) return std::nullopt;
  const char separator = text[10];
  if (separator != 'T' && separator != 't' && separator != ' ') return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const Time time = DaysFromCivil({year, month, day}) * kDay + hour * kHour + minute * kMinute +
                    second * kSecond + fraction - offset;
  // A leap second (only at the end of a UTC day) is read as the first second of the next day, as POSIX counts
  // it.
  if (second == 60 && FloorTo(time, kDay) != FloorTo(time, kSecond)) return std::nullopt;
  if (time < kFirstTimestamp || time > kLastTimestamp) return std::nullopt;
  return time;
}

void AppendTimestamp(Time time, std::string& out) {
  int64_t days = time / kDay;
  int64_t rest = time % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const CivilDate date = CivilFromDays(days);
  if (date.year >= 0 && date.year <= 9999) {
    AppendPadded(static_cast<uint64_t>(date.year), 4, out);
  } else {  // no RFC 3339, but still readable in a log line
    out.push_back(date.year < 0 ? '-' : '+');
    AppendPadded(static_cast<uint64_t>(std::llabs(date.year)), 6, out);
  }
  out.push_back('-');
  AppendPadded(date.month, 2, out);
  out.push_back('-');
  AppendPadded(date.day, 2, out);
  out.push_back('T');
  AppendPadded(static_cast<uint64_t>(rest / kHour), 2, out);
  out.push_back(':');
  AppendPadded(static_cast<uint64_t>(rest / kMinute % 60), 2, out);
  out.push_back(':');
  AppendPadded(static_cast<uint64_t>(rest / kSecond % 60), 2, out);
  if (rest % kSecond != 0) {
    out.push_back('.');
    AppendPadded(static_cast<uint64_t>(rest % kSecond), 6, out);
    while (out.back() == '0')
      out.pop_back();
  }
  out.push_back('Z');
}

std::string FormatTimestamp(Time time) {
  std::string out;
  out.reserve(27);
  AppendTimestamp(time, out);
  return out;
}

Time StartOfMonth(Time time) {
  const int64_t remainder = time % kDay;
  const int64_t days = time / kDay - (remainder < 0 ? 1 : 0);
  const CivilDate date = CivilFromDays(days);
  const int64_t first = days - (date.day - 1);
  return first < kMinTime / kDay ? kMinTime : first * kDay;
}

}  // namespace freshet
