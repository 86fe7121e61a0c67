#pragma once
// JSON numbers, read from their text without going through a double where the result is an integer. Pure, any
// thread.
#include <cstdint>
#include <string_view>

namespace freshet {

enum class NumberFault : uint8_t { kNone, kFraction, kTooLarge };

// Whether the whole token is a number by RFC 8259, section 6. The readers below require it.
bool IsJsonNumber(std::string_view token);

// The number times 10^shift. What lies below one is a fault, or, with `floor`, cut toward minus infinity.
NumberFault ReadInteger(std::string_view token, int shift, bool floor, int64_t& value);
// The nearest double; kTooLarge where that is infinite.
NumberFault ReadFloat(std::string_view token, double& value);

}  // namespace freshet
