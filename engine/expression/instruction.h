#pragma once
// What a compiled expression consists of. Inside engine/expression only. Immutable once compiled, any thread.
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/data/type.h"
#include "engine/expression/frame.h"

namespace freshet {

// A constant, or the items of a constant list, sorted.
using Literal = std::variant<std::monostate, bool, int64_t, double, std::string>;
struct LiteralSet {
  std::vector<int64_t> integers;  // bools, times and durations too
  std::vector<double> numbers;
  std::vector<std::string> texts;
  bool has_null = false;
};

struct Instruction;
// Computes instruction `i` for the rows of `frame` from the vectors of its arguments: writes `out` (values of
// the instruction's type, one a row) and `valid`.
using Kernel = void (*)(const Instruction& in, size_t i, Frame& frame, void* out, uint64_t* valid);

// In which rows an argument is evaluated at all: faults elsewhere do not count.
enum class Demand : uint8_t {
  kAll,
  kAnd,       // the right side where the left is not false
  kOr,        // the right side where the left is not true
  kIf,        // the branch that is taken
  kCoalesce,  // the right side where the left is null
};

struct Instruction {
  Type type = Type::kBool;
  Kernel kernel = nullptr;  // null: a column or a constant
  Demand demand = Demand::kAll;
  uint8_t arity = 0;
  uint32_t arguments[3] = {};  // earlier instructions
  bool is_constant = false;
  size_t column = 0;  // of the input, where is_column()
  Literal literal;
  std::shared_ptr<const LiteralSet> set;

  bool is_column() const { return kernel == nullptr && !is_constant; }
};

constexpr size_t WidthOf(Type type) {
  return type == Type::kBool ? 1 : IsText(type) ? sizeof(std::string_view) : IsList(type) ? 0 : 8;
}

}  // namespace freshet
