#include "engine/base/time.h"

#include <array>

namespace freshet {

namespace {

struct DurationUnit {
  std::string_view name;
  Duration micros;
};
// From the longest down; "w" is read but not written, since nobody writes "2w" for a fortnight of data.
constexpr std::array<DurationUnit, 7> kUnits{{{"w", 7 * kDay},
                                              {"d", kDay},
                                              {"h", kHour},
                                              {"m", kMinute},
                                              {"s", kSecond},
                                              {"ms", kMillisecond},
                                              {"us", 1}}};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

const DurationUnit* TakeUnit(std::string_view& text) {
  size_t letters = 0;
  while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z')
    ++letters;
  for (const DurationUnit& unit : kUnits) {
    if (unit.name != text.substr(0, letters)) continue;
    text.remove_prefix(letters);
    return &unit;
  }
  return nullptr;
}

}  // namespace

// Parts of falling units, each at most once: "1h30m", not "30m1h" nor "1h1h".
std::optional<Duration> ParseDuration(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  Duration total = 0;
  Duration last_unit = kMaxTime;
  while (!text.empty()) {
    if (!IsDigit(text[0])) return std::nullopt;
    Duration number = 0;
    while (!text.empty() && IsDigit(text[0])) {
      if (__builtin_mul_overflow(number, 10, &number) ||
          __builtin_add_overflow(number, text[0] - '0', &number)) {
        return std::nullopt;
      }
      text.remove_prefix(1);
    }
    const DurationUnit* unit = TakeUnit(text);
    if (unit == nullptr || unit->micros >= last_unit) return std::nullopt;
    last_unit = unit->micros;
    if (__builtin_mul_overflow(number, unit->micros, &number) ||
        __builtin_add_overflow(total, number, &total)) {
      return std::nullopt;
    }
  }
  return negative ? -total : total;
}

std::string FormatDuration(Duration duration) {
  if (duration == 0) return "0s";
  std::string out = duration < 0 ? "-" : "";
  uint64_t left = duration < 0 ? 0 - static_cast<uint64_t>(duration) : static_cast<uint64_t>(duration);
  for (const DurationUnit& unit : kUnits) {
    if (unit.name == "w") continue;
    const uint64_t count = left / static_cast<uint64_t>(unit.micros);
    left %= static_cast<uint64_t>(unit.micros);
    if (count > 0) out += std::to_string(count) + std::string(unit.name);
  }
  return out;
}

namespace {

// Days from 1970-01-01 in the proleptic Gregorian calendar, by counting 400-year eras from 1 March 0000.
constexpr int64_t DaysOf(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct Date {
  int64_t year, month, day;
};

constexpr Date DateOf(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int64_t month = shifted + (shifted < 10 ? 3 : -9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

constexpr int64_t DaysIn(int64_t year, int64_t month) {
  return DaysOf(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - DaysOf(year, month, 1);
}

// Exactly `count` digits off the front, or -1.
int64_t TakeDigits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeOne(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Microseconds of a fraction of one to nine digits; below a microsecond they are cut.
int64_t TakeFraction(std::string_view& text) {
  int64_t micros = 0;
  size_t digits = 0;
  for (; !text.empty() && IsDigit(text[0]); ++digits, text.remove_prefix(1)) {
    if (digits < 6) micros = micros * 10 + (text[0] - '0');
  }
  for (size_t i = digits; i < 6; ++i)
    micros *= 10;
  return digits >= 1 && digits <= 9 ? micros : -1;
}

}  // namespace

std::optional<Time> ParseTimestamp(std::string_view text) {
  const int64_t year = TakeDigits(text, 4);
  if (year < 1 || !TakeOne(text, "-")) return std::nullopt;
  const int64_t month = TakeDigits(text, 2);
  if (month < 1 || month > 12 || !TakeOne(text, "-")) return std::nullopt;
  const int64_t day = TakeDigits(text, 2);
  if (day < 1 || day > DaysIn(year, month) || !TakeOne(text, "Tt ")) return std::nullopt;
  const int64_t hour = TakeDigits(text, 2);
  if (hour < 0 || hour > 23 || !TakeOne(text, ":")) return std::nullopt;
  const int64_t minute = TakeDigits(text, 2);
  if (minute < 0 || minute > 59 || !TakeOne(text, ":")) return std::nullopt;
  const int64_t second = TakeDigits(text, 2);
  if (second < 0 || second > 59) return std::nullopt;
  const int64_t micros = TakeOne(text, ".") ? TakeFraction(text) : 0;
  if (micros < 0 || text.empty()) return std::nullopt;
  Time time = (DaysOf(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * kSecond + micros;
  if (TakeOne(text, "Zz")) return text.empty() ? std::optional<Time>(time) : std::nullopt;
  const bool west = text[0] == '-';
  if (!TakeOne(text, "+-")) return std::nullopt;
  const int64_t offset_hours = TakeDigits(text, 2);
  if (offset_hours < 0 || offset_hours > 23 || !TakeOne(text, ":")) return std::nullopt;
  const int64_t offset_minutes = TakeDigits(text, 2);
  if (offset_minutes < 0 || offset_minutes > 59 || !text.empty()) return std::nullopt;
  const Duration offset = offset_hours * kHour + offset_minutes * kMinute;
  return west ? time + offset : time - offset;
}

namespace {
void AppendPadded(int64_t value, size_t width, std::string& out) {
  char digits[8];
  for (size_t i = width; i-- > 0; value /= 10)
    digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, width);
}
}  // namespace

void AppendTimestamp(Time time, std::string& out) {
  const Time midnight = FloorTo(time, kDay);
  const Date date = DateOf(midnight / kDay);
  const Duration of_day = time - midnight;
  AppendPadded(date.year, 4, out);
  out.push_back('-');
  AppendPadded(date.month, 2, out);
  out.push_back('-');
  AppendPadded(date.day, 2, out);
  out.push_back('T');
  AppendPadded(of_day / kHour, 2, out);
  out.push_back(':');
  AppendPadded(of_day / kMinute % 60, 2, out);
  out.push_back(':');
  AppendPadded(of_day / kSecond % 60, 2, out);
  if (const int64_t micros = of_day % kSecond; micros != 0) {
    out.push_back('.');
    AppendPadded(micros, 6, out);
    while (out.back() == '0')
      out.pop_back();
  }
  out.push_back('Z');
}

std::string FormatTimestamp(Time time) {
  std::string out;
  AppendTimestamp(time, out);
  return out;
}

Time StartOfMonth(Time time) {
  const Date date = DateOf(FloorTo(time, kDay) / kDay);
  return DaysOf(date.year, date.month, 1) * kDay;
}

}  // namespace freshet
