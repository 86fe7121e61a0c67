#pragma once
// Splits the text of an expression into tokens: CEL's lexical rules. Inside engine/expression only. Pure, any
// thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

struct Token {
  enum class Kind : uint8_t { kEnd, kName, kQuotedName, kInt, kFloat, kString, kBytes, kSymbol };
  Kind kind = Kind::kEnd;
  size_t offset = 0;  // in bytes
  size_t end = 0;
  std::string text;        // names, strings with escapes resolved, symbols
  uint64_t magnitude = 0;  // kInt: up to 2^63, which only a minus before it makes an int64
  double number = 0;       // kFloat
};

struct SyntaxFault {
  size_t offset = 0;
  std::string message;
};

// The tokens of `text`, a kEnd last; or the first fault.
std::optional<SyntaxFault> Lex(std::string_view text, std::vector<Token>& tokens);

}  // namespace freshet
