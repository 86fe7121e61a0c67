#include <algorithm>
#include <limits>
#include <utility>

#include "engine/expression/syntax.h"

namespace freshet {
namespace {

constexpr int kTernary = 1;
constexpr int kUnary = 7;

int PrecedenceOf(const Token& token) {
  if (token.kind == Token::Kind::kName) return token.text == "in" ? 4 : 0;
  if (token.kind != Token::Kind::kSymbol) return 0;
  const std::string& s = token.text;
  if (s == "?") return kTernary;
  if (s == "||") return 2;
  if (s == "&&") return 3;
  if (s == "==" || s == "!=" || s == "<" || s == "<=" || s == ">" || s == ">=") return 4;
  if (s == "+" || s == "-") return 5;
  if (s == "*" || s == "/" || s == "%") return 6;
  return 0;
}

std::string Shown(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "the end";
    case Token::Kind::kString:
    case Token::Kind::kBytes:
      return "a string";
    case Token::Kind::kInt:
    case Token::Kind::kFloat:
      return "a number";
    default:
      return '`' + token.text + '`';
  }
}

// For what other languages write.
std::string Remedy(const Token& token) {
  if (token.kind != Token::Kind::kName) return "";
  if (token.text == "and" || token.text == "AND") return "; write && for it";
  if (token.text == "or" || token.text == "OR") return "; write || for it";
  if (token.text == "is" || token.text == "IS") return "; write == null or != null";
  return "";
}

// Pratt's top-down operator precedence. After a fault every function returns at once.
class Parser {
 public:
  explicit Parser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::optional<SyntaxFault> Run(Syntax& root) {
    root = Expression(kTernary);
    if (!fault_ && Peek().kind != Token::Kind::kEnd) {
      Fail(Peek().offset, "expected an operator or the end, found " + Shown(Peek()) + Remedy(Peek()));
    }
    return std::move(fault_);
  }

 private:
  const Token& Peek() const { return tokens_[at_]; }
  const Token& Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool At(std::string_view symbol) const {
    return Peek().kind == Token::Kind::kSymbol && Peek().text == symbol;
  }
  bool Accept(std::string_view symbol) {
    if (fault_ || !At(symbol)) return false;
    Take();
    return true;
  }
  void Expect(std::string_view symbol, std::string_view why) {
    if (Accept(symbol)) return;
    Fail(Peek().offset,
         "expected `" + std::string(symbol) + "` " + std::string(why) + ", found " + Shown(Peek()));
  }
  void Fail(size_t offset, std::string message) {
    if (!fault_) fault_ = SyntaxFault{offset, std::move(message)};
  }

  Syntax Node(Syntax::Kind kind, size_t offset, std::string text, std::vector<Syntax> children = {}) {
    Syntax node;
    node.kind = kind;
    node.offset = offset;
    node.text = std::move(text);
    node.children = std::move(children);
    for (const Syntax& child : node.children)
      node.height = std::max(node.height, child.height + 1);
    if (node.height > kMaxHeight) Fail(offset, "more than 1000 operators in one chain; split the expression");
    return node;
  }
  static std::vector<Syntax> List(Syntax a, Syntax b) {
    std::vector<Syntax> list;
    list.push_back(std::move(a));
    list.push_back(std::move(b));
    return list;
  }

  Syntax Expression(int least) {
    if (depth_ == kMaxNesting) Fail(Peek().offset, "nested more than 100 deep; split the expression");
    if (fault_) return {};
    ++depth_;
    Syntax left = Prefix();
    while (!fault_) {
      const Token& token = Peek();
      const int precedence = PrecedenceOf(token);
      if (precedence == 0 || precedence < least) break;
      Take();
      if (precedence == kTernary) {
        std::vector<Syntax> children;
        children.push_back(std::move(left));
        children.push_back(Expression(kTernary + 1));
        Expect(":", "and what holds otherwise");
        children.push_back(Expression(kTernary));
        left = Node(Syntax::Kind::kOperator, token.offset, "?:", std::move(children));
      } else {
        Syntax right = Expression(precedence + 1);
        left =
            Node(Syntax::Kind::kOperator, token.offset, token.text, List(std::move(left), std::move(right)));
      }
    }
    --depth_;
    return left;
  }

  Syntax Prefix() {
    const size_t offset = Peek().offset;
    if (Accept("!")) {
      std::vector<Syntax> children;
      children.push_back(Expression(kUnary));
      return Node(Syntax::Kind::kOperator, offset, "!", std::move(children));
    }
    if (Accept("-")) {
      const Token& token = Peek();
      const bool literal = token.kind == Token::Kind::kInt &&
                           !(tokens_[at_ + 1].text == "." && tokens_[at_ + 1].kind == Token::Kind::kSymbol);
      if (literal) {  // so that the least int64 can be written
        Take();
        return Integer(offset, token.magnitude, true);
      }
      std::vector<Syntax> children;
      children.push_back(Expression(kUnary));
      return Node(Syntax::Kind::kOperator, offset, "neg", std::move(children));
    }
    return Postfix(Primary());
  }

  Syntax Integer(size_t offset, uint64_t magnitude, bool negative) {
    if (magnitude > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) && !negative) {
      Fail(offset, "this integer is beyond 64 bits; write it as a float64, with `.0`");
    }
    Syntax node = Node(Syntax::Kind::kInt, offset, "");
    node.integer = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
    return node;
  }

  Syntax Primary() {
    const Token& token = Peek();
    switch (token.kind) {
      case Token::Kind::kInt:
        Take();
        return Integer(token.offset, token.magnitude, false);
      case Token::Kind::kFloat: {
        Take();
        Syntax node = Node(Syntax::Kind::kFloat, token.offset, "");
        node.number = token.number;
        return node;
      }
      case Token::Kind::kString:
      case Token::Kind::kBytes:
        Take();
        return Node(token.kind == Token::Kind::kString ? Syntax::Kind::kString : Syntax::Kind::kBytes,
                    token.offset, token.text);
      case Token::Kind::kName:
      case Token::Kind::kQuotedName:
        return NameOrCall();
      default:
        break;
    }
    if (Accept("(")) {
      Syntax inner = Expression(kTernary);
      Expect(")", "to close the parenthesis");
      return inner;
    }
    if (Accept("[")) return Node(Syntax::Kind::kList, token.offset, "", Arguments("]"));
    if (token.kind == Token::Kind::kEnd && at_ == 0) {
      Fail(token.offset, "an empty expression");
    } else {
      Fail(token.offset, "expected a value, found " + Shown(token));
    }
    return {};
  }

  Syntax NameOrCall() {
    const Token& first = Take();
    if (first.kind == Token::Kind::kName && !At("(") && !At(".")) {
      if (first.text == "true" || first.text == "false") {
        Syntax node = Node(Syntax::Kind::kBool, first.offset, "");
        node.integer = first.text == "true";
        return node;
      }
      if (first.text == "null") return Node(Syntax::Kind::kNull, first.offset, "");
    }
    if (first.kind == Token::Kind::kName && first.text == "in") {
      Fail(first.offset, "expected a value, found `in`");
      return {};
    }
    if (first.kind == Token::Kind::kName && Accept("(")) {
      return Node(Syntax::Kind::kCall, first.offset, first.text, Arguments(")"));
    }
    Syntax name = Node(Syntax::Kind::kName, first.offset, first.text);
    name.quoted = first.kind == Token::Kind::kQuotedName;
    return name;
  }

  // Member names and method calls. `a.b.f(x)` is f(a.b, x); `a.b` without a call is the column of that name.
  Syntax Postfix(Syntax receiver) {
    while (!fault_ && Accept(".")) {
      const Token& name = Peek();
      if (name.kind != Token::Kind::kName && name.kind != Token::Kind::kQuotedName) {
        Fail(name.offset, "expected a name after `.`, found " + Shown(name));
        return receiver;
      }
      Take();
      if (name.kind == Token::Kind::kName && Accept("(")) {
        std::vector<Syntax> children = Arguments(")");
        children.insert(children.begin(), std::move(receiver));
        receiver = Node(Syntax::Kind::kCall, name.offset, name.text, std::move(children));
        receiver.method = true;
      } else if (receiver.kind == Syntax::Kind::kName) {
        receiver.text += '.' + name.text;
      } else {
        Fail(name.offset,
             "only a column has members; a function is called with parentheses: " + name.text + "()");
      }
    }
    return receiver;
  }

  std::vector<Syntax> Arguments(std::string_view close) {
    std::vector<Syntax> arguments;
    if (Accept(close)) return arguments;
    do {
      arguments.push_back(Expression(kTernary));
    } while (Accept(","));
    Expect(close, close == ")" ? "or `,` after an argument" : "or `,` after an item");
    return arguments;
  }

  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  size_t depth_ = 0;
  std::optional<SyntaxFault> fault_;
};

}  // namespace

std::optional<SyntaxFault> ParseExpression(std::string_view text, Syntax& root) {
  if (text.size() > kMaxExpressionBytes) {
    return SyntaxFault{0, "longer than 16384 bytes; split the expression over several columns"};
  }
  std::vector<Token> tokens;
  if (auto fault = Lex(text, tokens)) return fault;
  return Parser(tokens).Run(root);
}

}  // namespace freshet
