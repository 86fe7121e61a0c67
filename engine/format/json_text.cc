#include "engine/format/json_text.h"

#include <cmath>

#include "engine/base/bytes.h"
#include "engine/base/number.h"
#include "engine/base/time.h"

namespace freshet {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// The length of the well-formed UTF-8 sequence at the front of `text`, or 0 (RFC 3629, section 4).
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const uint8_t first = byte(0);
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = first == 0xe0 ? byte(1) >= 0xa0 : (first == 0xed ? byte(1) <= 0x9f : true);
    return second && tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = first == 0xf0 ? byte(1) >= 0x90 : (first == 0xf4 ? byte(1) <= 0x8f : true);
    return second && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool IsAscii(char c) {
  return static_cast<uint8_t>(c) < 0x80;
}
bool IsPlain(char c) {
  return IsAscii(c) && c >= 0x20 && c != '"' && c != '\\';
}

void AppendReplacement(std::string& out) {
  out += "\xef\xbf\xbd";  // U+FFFD
}

void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
  out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  size_t begin = 0;  // of what goes out as it is
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (IsPlain(c)) {
      ++i;
    } else if (const size_t length = SequenceLength(text.substr(i)); length > 0) {
      i += length;
    } else {
      out.append(text, begin, i - begin);
      IsAscii(c) ? AppendEscaped(c, out) : AppendReplacement(out);
      begin = ++i;
    }
  }
  out.append(text, begin);
  out.push_back('"');
}

namespace {

void AppendItems(const Column& column, size_t row, std::string& out) {
  const auto [first, last] = column.list(row);
  out.push_back('[');
  for (size_t i = first; i < last; ++i) {
    if (i > first) out.push_back(',');
    if (!column.items().valid(i) || !AppendJsonValue(column.items(), i, out)) out += "null";
  }
  out.push_back(']');
}

}  // namespace

bool AppendJsonValue(const Column& column, size_t row, std::string& out) {
  switch (column.type()) {
    case Type::kBool:
      out += column.values<uint8_t>()[row] != 0 ? "true" : "false";
      return true;
    case Type::kInt64:
      AppendInt(column.values<int64_t>()[row], out);
      return true;
    case Type::kFloat64:
      if (!std::isfinite(column.values<double>()[row])) return false;
      AppendDouble(column.values<double>()[row], out);
      return true;
    case Type::kString:
      AppendJsonString(column.text(row), out);
      return true;
    case Type::kBytes:
      AppendJsonString(Base64(column.text(row)), out);
      return true;
    case Type::kTimestamp:
      out.push_back('"');
      AppendTimestamp(column.values<int64_t>()[row], out);
      out.push_back('"');
      return true;
    case Type::kDuration:
      out.push_back('"');
      out += FormatDuration(column.values<int64_t>()[row]);
      out.push_back('"');
      return true;
    case Type::kListFloat64:
    case Type::kListString:
      AppendItems(column, row, out);
      return true;
  }
  return false;
}

}  // namespace freshet
