#include "engine/spec/scalar.h"

#include <charconv>
#include <cmath>

namespace freshet {

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return length;
}

std::string QuoteText(std::string_view text) {
  constexpr size_t kLongest = 60;
  std::string out = "`";
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(text.substr(i));
    if (i + length > kLongest) {
      out += "…";
      break;
    }
    if (length == 0) {
      out += '?';
      ++i;
      continue;
    }
    const char c = text[i];
    if (length == 1 && (c < 0x20 || c == 0x7f)) {
      out += c == '\n' ? std::string("\\n") : std::string("?");
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  return out + '`';
}

std::string WithArticle(std::string_view noun) {
  const bool vowel = !noun.empty() && std::string_view("aeiou").find(noun[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(noun);
}

std::string Shown(const Node& node) {
  if (node.secret) return "a secret";
  if (node.kind != Node::Kind::kScalar) return std::string(node.KindName());
  if (node.text.empty()) return "an empty text";
  return QuoteText(node.text) + (node.quoted ? " in quotes" : "");
}

bool TextOf(const Node& node, std::string_view what, Diagnostics& diagnostics, std::string& out) {
  if (node.secret) {
    diagnostics.Error(node.position,
                      "a secret may not stand here, only under `kafka`; write the value itself");
    return false;
  }
  if (node.kind != Node::Kind::kScalar) {
    diagnostics.Error(node.position, "expected " + std::string(what) + ", found " + Shown(node));
    return false;
  }
  out = node.text;
  return true;
}

namespace {

bool PlainText(const Node& node, std::string_view what, Diagnostics& diagnostics, std::string& out) {
  if (!TextOf(node, what, diagnostics, out)) return false;
  if (!node.quoted) return true;
  diagnostics.Error(node.position, "expected " + std::string(what) + ", found the text " + QuoteText(out) +
                                       "; remove the quotes");
  return false;
}

bool Digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Reports a decimal number that other tools read as octal.
bool LeadingZero(const Node& node, std::string_view unsigned_text, bool octal, Diagnostics& diagnostics) {
  const std::string_view digits = unsigned_text.substr(0, unsigned_text.find_first_not_of("0123456789"));
  if (digits.size() < 2 || digits[0] != '0') return false;
  std::string_view rest = unsigned_text;
  while (rest.size() > 1 && rest[0] == '0' && rest[1] >= '0' && rest[1] <= '9')
    rest.remove_prefix(1);
  std::string message = QuoteText(node.text) + " has a leading zero, which some tools read as octal; write ";
  message += rest;
  if (octal && digits.size() == unsigned_text.size() &&
      digits.find_first_of("89") == std::string_view::npos) {
    message += ", or 0o" + std::string(rest) + " for octal";
  }
  diagnostics.Error(node.position, message);
  return true;
}

}  // namespace

bool BoolOf(const Node& node, Diagnostics& diagnostics, bool& out) {
  std::string text;
  if (!PlainText(node, "true or false", diagnostics, text)) return false;
  if (text == "true" || text == "True" || text == "TRUE") {
    out = true;
  } else if (text == "false" || text == "False" || text == "FALSE") {
    out = false;
  } else {
    diagnostics.Error(node.position, QuoteText(text) + " is no boolean; write true or false");
    return false;
  }
  return true;
}

bool IntOf(const Node& node, Diagnostics& diagnostics, int64_t& out) {
  std::string text;
  if (!PlainText(node, "an integer", diagnostics, text)) return false;
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.size() == text.size() && (digits.starts_with("0x") || digits.starts_with("0o"))) {
    base = digits[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  } else if (Digits(digits) && LeadingZero(node, digits, true, diagnostics)) {
    return false;
  }
  const std::string whole = (negative ? "-" : "") + std::string(digits);
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), out, base);
  if (error == std::errc::result_out_of_range) {
    diagnostics.Error(node.position, QuoteText(text) + " is beyond 64 bits");
    return false;
  }
  if (error != std::errc() || end != whole.data() + whole.size() || digits.starts_with('-')) {
    diagnostics.Error(node.position, "expected an integer, found " + QuoteText(text));
    return false;
  }
  return true;
}

bool DoubleOf(const Node& node, std::string_view what, Diagnostics& diagnostics, double& out) {
  std::string text;
  if (!PlainText(node, what, diagnostics, text)) return false;
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const bool number = !digits.empty() &&
                      digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                      ((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.');
  if (number && LeadingZero(node, digits, false, diagnostics)) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (number && error == std::errc::result_out_of_range) {
    diagnostics.Error(node.position, QuoteText(text) + " is beyond what a float64 holds");
    return false;
  }
  if (!number || error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(out)) {
    diagnostics.Error(node.position, "expected " + std::string(what) + ", found " + QuoteText(text));
    return false;
  }
  if (negative) out = -out;
  return true;
}

}  // namespace freshet
