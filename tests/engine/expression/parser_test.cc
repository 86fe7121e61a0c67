// The shape of the syntax tree: precedence, associativity, calls, literals.
#include <gtest/gtest.h>

#include "engine/expression/syntax.h"

namespace freshet {
namespace {

// The tree with every operator in front of its parts: (+ a b).
std::string Shape(const Syntax& node) {
  switch (node.kind) {
    case Syntax::Kind::kNull:
      return "null";
    case Syntax::Kind::kBool:
      return node.integer != 0 ? "true" : "false";
    case Syntax::Kind::kInt:
      return std::to_string(node.integer);
    case Syntax::Kind::kFloat:
      return std::to_string(node.number);
    case Syntax::Kind::kString:
      return '"' + node.text + '"';
    case Syntax::Kind::kBytes:
      return "b\"" + node.text + '"';
    case Syntax::Kind::kName:
      return node.text;
    default:
      break;
  }
  std::string out = node.kind == Syntax::Kind::kList ? "[" : "(" + node.text;
  for (const Syntax& child : node.children)
    out += (out == "[" ? "" : " ") + Shape(child);
  return out + (node.kind == Syntax::Kind::kList ? "]" : ")");
}

std::string Parse(std::string_view text) {
  Syntax root;
  const auto fault = ParseExpression(text, root);
  return fault ? "fault at " + std::to_string(fault->offset) + ": " + fault->message : Shape(root);
}

TEST(ExpressionParser, Precedence) {
  EXPECT_EQ(Parse("a+b*c-d"), "(- (+ a (* b c)) d)");
  EXPECT_EQ(Parse("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(Parse("a / b % c * d"), "(* (% (/ a b) c) d)");
  EXPECT_EQ(Parse("a || b && c || d"), "(|| (|| a (&& b c)) d)");
  EXPECT_EQ(Parse("a == b && c < d + 1"), "(&& (== a b) (< c (+ d 1)))");
  EXPECT_EQ(Parse("!a && -b < c"), "(&& (! a) (< (neg b) c))");
  EXPECT_EQ(Parse("!!a"), "(! (! a))");
  EXPECT_EQ(Parse("a ? b : c ? d : e"), "(?: a b (?: c d e))");
  EXPECT_EQ(Parse("a || b ? c : d"), "(?: (|| a b) c d)");
  EXPECT_EQ(Parse("a ? (b ? c : d) : e"), "(?: a (?: b c d) e)");
  EXPECT_EQ(Parse("a in [1, 2] == b"), "(== (in a [1 2]) b)");
  EXPECT_EQ(Parse("a in b"), "(in a b)");
  EXPECT_EQ(Parse("-a.f(1)"), "(neg (f a 1))");
  EXPECT_EQ(Parse("a < b == c"), "(== (< a b) c)");
}

TEST(ExpressionParser, NamesAndCalls) {
  EXPECT_EQ(Parse("m.probability"), "m.probability");
  EXPECT_EQ(Parse("a . b . c"), "a.b.c");
  EXPECT_EQ(Parse("a.b.size()"), "(size a.b)");
  EXPECT_EQ(Parse("\"x\".size()"), "(size \"x\")");
  EXPECT_EQ(Parse("(a + b).f(c).g()"), "(g (f (+ a b) c))");
  EXPECT_EQ(Parse("f(g(x), y)"), "(f (g x) y)");
  EXPECT_EQ(Parse("`odd name`.x + 1"), "(+ odd name.x 1)");
  EXPECT_EQ(Parse("`true`"), "true");
  EXPECT_EQ(Parse("inner + notnull"), "(+ inner notnull)");
  EXPECT_EQ(Parse("null == x"), "(== null x)");
}

TEST(ExpressionParser, Literals) {
  EXPECT_EQ(Parse("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Parse("a-1"), "(- a 1)");
  EXPECT_EQ(Parse("a - -1"), "(- a -1)");
  EXPECT_EQ(Parse("-1.abs()"), "(neg (abs 1))");
  EXPECT_EQ(Parse("0xFf"), "255");
  EXPECT_EQ(Parse(".5 + 1e2"), "(+ 0.500000 100.000000)");
  EXPECT_EQ(Parse("1.5e-1"), "0.150000");
  EXPECT_EQ(Parse("0"), "0");
  EXPECT_EQ(Parse(R"("a\tb\"c\\")"), "\"a\tb\"c\\\"");
  EXPECT_EQ(Parse(R"('\x41\u00e9\U0001F600\101')"),
            "\"A\xc3\xa9\xf0\x9f\x98\x80"
            "A\"");
  EXPECT_EQ(Parse(R"(r'\n' + R"\t")"), R"((+ "\n" "\t"))");
  EXPECT_EQ(Parse(R"(b"\xff\u0041")"), "fault at 6: unknown escape \\u; a backslash itself is written \\\\");
  EXPECT_EQ(Parse(R"(b"\x41")"), "b\"A\"");
  EXPECT_EQ(Parse("\"\"\"a\n\"b\" \"\"\""), "\"a\n\"b\" \"");
  EXPECT_EQ(Parse("a // note\n+ b"), "(+ a b)");
  EXPECT_EQ(Parse("''"), "\"\"");
}

}  // namespace
}  // namespace freshet
