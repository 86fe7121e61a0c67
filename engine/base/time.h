#pragma once
// Times and durations are int64 microseconds everywhere; a Time counts from the Unix epoch, UTC.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace freshet {

using Time = int64_t;
using Duration = int64_t;

inline constexpr Duration kMillisecond = 1'000;
inline constexpr Duration kSecond = 1'000'000;
inline constexpr Duration kMinute = 60 * kSecond;
inline constexpr Duration kHour = 60 * kMinute;
inline constexpr Duration kDay = 24 * kHour;
inline constexpr Time kMinTime = std::numeric_limits<Time>::min();  // "before all": an empty watermark
inline constexpr Time kMaxTime = std::numeric_limits<Time>::max();

// "200ms", "1h30m", "3d", "0s", "-5m"; units us, ms, s, m, h, d, w. Nothing on malformed text or overflow.
std::optional<Duration> ParseDuration(std::string_view text);
// Each unit from days down that it has some of ("1h30m", "30d"); ParseDuration reads it back.
std::string FormatDuration(Duration duration);

inline constexpr Time kFirstTimestamp = -62'135'596'800 * kSecond;     // 0001-01-01T00:00:00Z
inline constexpr Time kLastTimestamp = 253'402'300'800 * kSecond - 1;  // 9999-12-31T23:59:59.999999Z
// RFC 3339 with any offset and up to nine fractional digits (below a microsecond they are cut). Years 0001 to
// 9999. A leap second is the second after it.
std::optional<Time> ParseTimestamp(std::string_view text);
// RFC 3339 in UTC with Z; fractional digits only where not zero ("2013-02-08T15:23:00Z").
std::string FormatTimestamp(Time time);
void AppendTimestamp(Time time, std::string& out);

// Floor of `time` to a multiple of `width` counted from the epoch; right for times before it too.
constexpr Time FloorTo(Time time, Duration width) {
  const Time remainder = time % width;
  return time - (remainder < 0 ? remainder + width : remainder);
}
// First instant of the UTC month of `time`.
Time StartOfMonth(Time time);

}  // namespace freshet
