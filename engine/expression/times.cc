#include "engine/base/calendar.h"
#include "engine/base/time.h"
#include "engine/expression/kernel.h"
#include "engine/expression/overloads.h"

namespace freshet {
namespace {

bool Add(int64_t a, int64_t b, int64_t& out, Fault&) {
  return !__builtin_add_overflow(a, b, &out);
}
bool Subtract(int64_t a, int64_t b, int64_t& out, Fault&) {
  return !__builtin_sub_overflow(a, b, &out);
}
bool Multiply(int64_t a, int64_t b, int64_t& out, Fault&) {
  return !__builtin_mul_overflow(a, b, &out);
}
bool DivideByInt(int64_t a, int64_t b, int64_t& out, Fault& why) {
  if (b == 0) why = Fault::kDivisionByZero;
  if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min())) return false;
  out = a / b;
  return true;
}
bool Ratio(int64_t a, int64_t b, double& out, Fault& why) {
  why = Fault::kDivisionByZero;
  if (b == 0) return false;
  out = static_cast<double>(a) / static_cast<double>(b);
  return true;
}
bool Negate(int64_t a, int64_t& out, Fault&) {
  return !__builtin_sub_overflow(int64_t{0}, a, &out);
}
bool Abs(int64_t a, int64_t& out, Fault& why) {
  return a < 0 ? Negate(a, out, why) : (out = a, true);
}

bool SpanOfText(std::string_view text, int64_t& out, Fault& why) {
  why = Fault::kBadConversion;
  const auto parsed = ParseDuration(text);
  if (parsed) out = *parsed;
  return parsed.has_value();
}
bool TimeOfText(std::string_view text, int64_t& out, Fault& why) {
  why = Fault::kBadConversion;
  const auto parsed = ParseTimestamp(text);
  if (parsed) out = *parsed;
  return parsed.has_value();
}
bool TimeOfSeconds(int64_t seconds, int64_t& out, Fault&) {
  return !__builtin_mul_overflow(seconds, kSecond, &out);
}
int64_t Same(int64_t a) {
  return a;
}

// Division that rounds down, also before the epoch.
int64_t Floor(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}
int64_t Within(int64_t a, int64_t b) {
  return a - Floor(a, b) * b;
}

int64_t SecondsOf(int64_t t) {
  return Floor(t, kSecond);
}
int64_t Year(int64_t t) {
  return CivilFromDays(Floor(t, kDay)).year;
}
int64_t Month(int64_t t) {
  return CivilFromDays(Floor(t, kDay)).month;
}
int64_t Day(int64_t t) {
  return CivilFromDays(Floor(t, kDay)).day;
}
int64_t Hour(int64_t t) {
  return Within(Floor(t, kHour), 24);
}
int64_t Minute(int64_t t) {
  return Within(Floor(t, kMinute), 60);
}
int64_t Second(int64_t t) {
  return Within(Floor(t, kSecond), 60);
}
int64_t DayOfWeek(int64_t t) {
  return Within(Floor(t, kDay) + 3, 7) + 1;
}  // the epoch was a Thursday

template <int64_t (*F)(int64_t)>
constexpr Kernel Getter() {
  return Total<F, int64_t, int64_t>;
}

}  // namespace

void AddTimes(std::vector<Overload>& all) {
  constexpr Type kT = Type::kTimestamp;
  constexpr Type kD = Type::kDuration;
  constexpr Type kI = Type::kInt64;
  constexpr Type kS = Type::kString;
  using I = int64_t;
  all.push_back({"+", {kT, kD}, kT, Partial<Add, I, I, I>});
  all.push_back({"+", {kD, kT}, kT, Partial<Add, I, I, I>});
  all.push_back({"+", {kD, kD}, kD, Partial<Add, I, I, I>});
  all.push_back({"-", {kT, kT}, kD, Partial<Subtract, I, I, I>});
  all.push_back({"-", {kT, kD}, kT, Partial<Subtract, I, I, I>});
  all.push_back({"-", {kD, kD}, kD, Partial<Subtract, I, I, I>});
  all.push_back({"*", {kD, kI}, kD, Partial<Multiply, I, I, I>});
  all.push_back({"*", {kI, kD}, kD, Partial<Multiply, I, I, I>});
  all.push_back({"/", {kD, kI}, kD, Partial<DivideByInt, I, I, I>});
  all.push_back({"/", {kD, kD}, Type::kFloat64, Partial<Ratio, double, I, I>});
  all.push_back({"neg", {kD}, kD, Partial<Negate, I, I>});
  all.push_back({"abs", {kD}, kD, Partial<Abs, I, I>});
  all.push_back({"duration", {kD}, kD, Total<Same, I, I>});
  all.push_back({"duration", {kS}, kD, Partial<SpanOfText, I, std::string_view>});
  all.push_back({"timestamp", {kT}, kT, Total<Same, I, I>});
  all.push_back({"timestamp", {kS}, kT, Partial<TimeOfText, I, std::string_view>});
  all.push_back({"timestamp", {kI}, kT, Partial<TimeOfSeconds, I, I>});
  all.push_back({"int", {kT}, kI, Getter<SecondsOf>()});
  all.push_back({"year", {kT}, kI, Getter<Year>()});
  all.push_back({"month", {kT}, kI, Getter<Month>()});
  all.push_back({"day", {kT}, kI, Getter<Day>()});
  all.push_back({"hour", {kT}, kI, Getter<Hour>()});
  all.push_back({"minute", {kT}, kI, Getter<Minute>()});
  all.push_back({"second", {kT}, kI, Getter<Second>()});
  all.push_back({"dayOfWeek", {kT}, kI, Getter<DayOfWeek>()});
}

}  // namespace freshet
