#pragma once
// Numbers as text: the shortest digits that read back to the same value, and strict readers of whole strings.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace freshet {

void AppendDouble(double value, std::string& out);  // finite only: "0.1", "1e+30", "3", "100000"
void AppendInt(int64_t value, std::string& out);
std::string FormatDouble(double value);
// The whole text, decimal with or without a sign, finite; what is too small for a double is 0.
std::optional<double> ParseDouble(std::string_view text);
std::optional<int64_t> ParseInt(std::string_view text);  // the whole text, decimal, in range
// "64MiB", "1.5 GiB" and plain digits; units B, KiB, MiB, GiB, TiB, kB, MB, GB, TB.
std::optional<int64_t> ParseByteSize(std::string_view text);
// In the largest binary unit that divides it: "64MiB", "1536MiB", "1000B". ParseByteSize reads it back.
std::string FormatByteSize(int64_t bytes);

}  // namespace freshet
