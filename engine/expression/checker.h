#pragma once
// Types an expression's syntax over a schema and turns it into instructions, folding what is constant. Inside
// engine/expression only. One thread.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/expression/instruction.h"
#include "engine/expression/overloads.h"
#include "engine/expression/syntax.h"

namespace freshet {

class Checker {
 public:
  struct Sink {  // where faults go, by offset in the text
    std::function<void(size_t offset, std::string message)> error;
    std::function<void(size_t offset, std::string message)> warning;
  };
  Checker(const Schema& scope, Sink sink) : scope_(scope), sink_(std::move(sink)) {}

  // The instructions of `root`, the result last; nothing after an error.
  std::optional<std::vector<Instruction>> Run(const Syntax& root, std::optional<Type> expected);

 private:
  // What a part of the expression is. `bad`: an error was reported, say no more. `null`: the literal, of any
  // type.
  struct Value {
    uint32_t index = 0;
    Type type = Type::kBool;
    bool bad = false;
    bool null = false;
  };
  static Value Bad() { return {0, Type::kBool, true, false}; }

  Value Check(const Syntax& node);
  Value CheckName(const Syntax& node);
  Value CheckOperator(const Syntax& node);
  Value CheckLogic(const Syntax& node);
  Value CheckConditional(const Syntax& node);
  Value CheckIn(const Syntax& node);
  Value CheckNullTest(const Syntax& node, Value left, Value right);
  Value CheckCall(const Syntax& node);
  Value CheckCoalesce(const Syntax& node, const std::vector<Value>& arguments);
  Value CheckExtremum(const Syntax& node, const std::vector<Value>& arguments);
  Value Apply(const Syntax& node, const std::vector<Value>& arguments);

  Value Constant(Type type, Literal literal);
  Value Column(size_t column);
  Value Emit(const Syntax& node, Type type, Kernel kernel, const std::vector<Value>& arguments,
             Demand demand = Demand::kAll, std::shared_ptr<const LiteralSet> set = nullptr);
  Value As(const Syntax& node, Value value, Type type);  // widened, or null given a type
  // The one type of all of `values`, int64 widened; reports where there is none.
  std::optional<Type> Unify(const Syntax& node, const std::vector<Value>& values, std::string_view what);
  bool Fold(const Syntax& node, Instruction& in);
  bool ExpectBool(const Syntax& node, Value value, std::string_view where);
  void WarnOfImpossible(const Syntax& node, Value column, Value value);
  std::shared_ptr<const LiteralSet> SetOf(Type type, const std::vector<Value>& items) const;

  const Schema& scope_;
  Sink sink_;
  std::vector<Instruction> all_;
  bool failed_ = false;
  void Error(const Syntax& at, std::string message) {
    failed_ = true;
    sink_.error(at.offset, std::move(message));
  }
};

}  // namespace freshet
