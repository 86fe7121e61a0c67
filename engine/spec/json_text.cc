#include "engine/spec/json_text.h"

#include <charconv>

namespace freshet {

std::string JsonQuote(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string JsonOfDefault(std::string_view printed) {
  if (printed == "true" || printed == "false") return std::string(printed);
  if (printed.size() >= 2 && printed.front() == '[' && printed.back() == ']') {
    std::string_view rest = printed.substr(1, printed.size() - 2);
    std::string out = "[";
    while (!rest.empty()) {
      const size_t comma = rest.find(", ");
      if (out.size() > 1) out += ',';
      out += JsonOfDefault(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
    }
    return out + ']';
  }
  double number = 0;
  const auto [end, error] = std::from_chars(printed.data(), printed.data() + printed.size(), number);
  const bool whole = error == std::errc() && end == printed.data() + printed.size();
  const bool json = whole && (printed.front() == '-' || (printed.front() >= '0' && printed.front() <= '9'));
  if (json) return std::string(printed);
  if (printed.size() >= 2 && printed.front() == '"') return JsonQuote(printed.substr(1, printed.size() - 2));
  return JsonQuote(printed);
}

}  // namespace freshet
