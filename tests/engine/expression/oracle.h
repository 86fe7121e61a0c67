#pragma once
// Random typed expressions, printed as an author would write them, and a plain interpreter of one row that
// knows nothing of the engine's: what it says is what docs/expressions.md says. One thread.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/random.h"
#include "engine/data/type.h"
#include "engine/expression/expression.h"

namespace freshet {

using Value = std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<double>,
                           std::vector<std::string>>;
using Row = std::vector<Value>;

struct Tree {
  std::string op;  // "literal", "column", an operator's sign, "?:", "neg", "in", or a function's name
  Type type = Type::kBool;
  std::vector<Tree> kids;
  Value literal;
  std::string text;  // of a literal that is no plain number or text, as it is written
  size_t column = 0;
};

// b bool, i int64, j int64, f float64, m.g float64, s string, r string, t timestamp, d duration, ls
// list<string>, lf list<float64>.
const Schema& OracleSchema();
Row RandomRow(Random& random, double nulls);
Tree RandomTree(Random& random, Type type, int depth);
std::string Print(const Tree& tree, Random& random);
Value Interpret(const Tree& tree, const Row& row, ExpressionFaults& faults);
std::string ToText(const Value& value);
bool Same(const Value& a, const Value& b);  // floats by their bits

}  // namespace freshet
