#pragma once
// The syntax of an expression, before types. Inside engine/expression only. Pure, any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expression/lexer.h"

namespace freshet {

struct Syntax {
  enum class Kind : uint8_t { kNull, kBool, kInt, kFloat, kString, kBytes, kName, kList, kCall, kOperator };
  Kind kind = Kind::kNull;
  size_t offset = 0;    // where to point: an operator's sign, a name's or literal's begin
  std::string text;     // a name with its dots, a string, a function, an operator ("neg" and "?:" among them)
  bool method = false;  // kCall: written receiver.f(…); the receiver is the first child
  bool quoted = false;  // kName
  int64_t integer = 0;  // kInt, kBool
  double number = 0;    // kFloat
  std::vector<Syntax> children;
  size_t height = 1;
};

inline constexpr size_t kMaxExpressionBytes = 16 << 10;
inline constexpr size_t kMaxNesting = 100;  // parentheses, calls, lists, signs
inline constexpr size_t kMaxHeight = 1000;  // of the tree: a + b + c + … is as high as it is long

// Parses the whole of `text`, or returns its first fault. Precedence as in CEL: ?: || && (== != < <= > >= in)
// (+ -)
// (* / %) (! -) calls.
std::optional<SyntaxFault> ParseExpression(std::string_view text, Syntax& root);

}  // namespace freshet
