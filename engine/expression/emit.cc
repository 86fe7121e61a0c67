// The checker's other half: instructions, and the folding of constants.
#include <new>

#include "engine/expression/checker.h"
#include "engine/expression/compiled.h"

namespace freshet {
namespace {

Literal LiteralOf(Type type, const void* value) {
  if (type == Type::kBool) return *static_cast<const uint8_t*>(value) != 0;
  if (type == Type::kFloat64) return *static_cast<const double*>(value);
  if (IsText(type)) return std::string(*static_cast<const std::string_view*>(value));
  return *static_cast<const int64_t*>(value);
}

}  // namespace

Checker::Value Checker::Constant(Type type, Literal literal) {
  Instruction in;
  in.type = type;
  in.is_constant = true;
  in.literal = std::move(literal);
  all_.push_back(std::move(in));
  return {static_cast<uint32_t>(all_.size() - 1), type, false, false};
}

Checker::Value Checker::Column(size_t column) {
  for (size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].is_column() && all_[i].column == column) {
      return {static_cast<uint32_t>(i), all_[i].type, false, false};
    }
  }
  Instruction in;
  in.type = scope_[column].type;
  in.column = column;
  all_.push_back(std::move(in));
  return {static_cast<uint32_t>(all_.size() - 1), scope_[column].type, false, false};
}

Checker::Value Checker::As(const Syntax& node, Value value, Type type) {
  if (value.bad) return value;
  if (value.null) return Constant(type, std::monostate());
  if (value.type == type) return value;
  return Emit(node, type, WidenKernel(), {value});
}

Checker::Value Checker::Emit(const Syntax& node, Type type, Kernel kernel,
                             const std::vector<Value>& arguments, Demand demand,
                             std::shared_ptr<const LiteralSet> set) {
  Instruction in;
  in.type = type;
  in.kernel = kernel;
  in.demand = demand;
  in.set = std::move(set);
  bool constant = true;
  for (const Value& argument : arguments) {
    in.arguments[in.arity++] = argument.index;
    constant = constant && all_[argument.index].is_constant;
  }
  if (constant) {
    if (!Fold(node, in)) return Bad();
  }
  all_.push_back(std::move(in));
  return {static_cast<uint32_t>(all_.size() - 1), type, false, false};
}

// Replaces an instruction over constants by its value. One that fails stays, and fails row by row, with a
// warning; a constant text that cannot be converted is an error, and false.
bool Checker::Fold(const Syntax& node, Instruction& in) {
  constexpr size_t kArguments = 3;
  Pool pool;
  Vector vectors[kArguments + 1];
  alignas(16) char storage[kArguments + 1][sizeof(std::string_view)] = {};
  uint64_t valid[kArguments + 1] = {};
  Instruction one = in;
  for (size_t k = 0; k < in.arity; ++k) {
    const Instruction& argument = all_[in.arguments[k]];
    FillConstant(argument, 1, storage[k]);
    valid[k] = std::holds_alternative<std::monostate>(argument.literal) ? 0 : 1;
    vectors[k].values = storage[k];
    vectors[k].valid = &valid[k];
    one.arguments[k] = static_cast<uint32_t>(k);
  }
  if (IsText(in.type)) new (storage[kArguments]) std::string_view();
  Frame frame(pool, vectors);
  frame.rows = 1;
  in.kernel(one, kArguments, frame, storage[kArguments], &valid[kArguments]);
  if (frame.faulted()) {
    const uint64_t* faults = vectors[kArguments].faults;
    if (faults[static_cast<size_t>(Fault::kBadConversion) * kChunkWords] != 0) {
      std::string shape = node.text == "duration" ? " such as \"1h30m\"" : "";
      if (node.text == "timestamp") shape = " such as \"2024-02-29T13:00:00Z\"";
      Error(node, '"' + std::get<std::string>(all_[in.arguments[0]].literal) + "\" is no " +
                      (node.text == "double" ? "number" : node.text) + shape);
      return false;
    }
    const bool zero = faults[static_cast<size_t>(Fault::kDivisionByZero) * kChunkWords] != 0;
    sink_.warning(node.offset, zero ? "this divides by zero, so it is always null"
                                    : "this has no result that fits, so it is always null");
    return true;
  }
  Instruction folded;
  folded.type = in.type;
  folded.is_constant = true;
  if ((valid[kArguments] & 1) != 0) folded.literal = LiteralOf(in.type, storage[kArguments]);
  in = std::move(folded);
  return true;
}

}  // namespace freshet
