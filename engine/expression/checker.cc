#include "engine/expression/checker.h"

#include <algorithm>
#include <array>

#include "engine/spec/diagnostics.h"

namespace freshet {
namespace {

std::string Quoted(std::string_view text) {
  return '`' + std::string(text) + '`';
}

std::string Listed(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

std::string WithArticle(Type type) {
  return (type == Type::kInt64 ? "an " : "a ") + std::string(NameOf(type));
}

// What CEL and other languages call our functions.
std::string_view UsualName(std::string_view name) {
  static constexpr std::array<std::array<std::string_view, 2>, 22> kOthers{
      {{"len", "size"},         {"length", "size"},
       {"str", "string"},       {"toString", "string"},
       {"float", "double"},     {"float64", "double"},
       {"int64", "int"},        {"ln", "log"},
       {"power", "pow"},        {"ifnull", "coalesce"},
       {"nvl", "coalesce"},     {"lowerAscii", "lower"},
       {"upperAscii", "upper"}, {"substr", "substring"},
       {"getFullYear", "year"}, {"getMonth", "month"},
       {"getDate", "day"},      {"getDayOfWeek", "dayOfWeek"},
       {"getHours", "hour"},    {"getMinutes", "minute"},
       {"greatest", "max"},     {"least", "min"}}};
  for (const auto& [other, ours] : kOthers) {
    if (other == name) return ours;
  }
  return name;
}

std::string SignatureOf(const std::vector<Type>& types) {
  std::string out = "(";
  for (const Type type : types)
    out += (out.size() == 1 ? "" : ", ") + std::string(NameOf(type));
  return out + ')';
}

bool Fits(Type given, Type wanted) {
  return given == wanted || (given == Type::kInt64 && wanted == Type::kFloat64);
}

// Exact before widened, in the order of the table.
const Overload* Choose(const std::vector<const Overload*>& overloads, const std::vector<Type>& types) {
  for (const bool exact : {true, false}) {
    for (const Overload* one : overloads) {
      if (one->parameters.size() != types.size()) continue;
      bool fits = true;
      for (size_t i = 0; i < types.size(); ++i) {
        fits = fits && (exact ? types[i] == one->parameters[i] : Fits(types[i], one->parameters[i]));
      }
      if (fits) return one;
    }
  }
  return nullptr;
}

std::string Mismatch(const Syntax& node, const std::vector<const Overload*>& overloads,
                     const std::vector<Type>& types) {
  const bool has_string = std::find(types.begin(), types.end(), Type::kString) != types.end();
  if (node.kind == Syntax::Kind::kOperator) {
    const std::string sign = node.text == "neg" ? "-" : node.text;
    std::string message = Quoted(sign) + " does not take ";
    for (size_t i = 0; i < types.size(); ++i)
      message += (i == 0 ? "" : " and ") + std::string(NameOf(types[i]));
    const auto has = [&](Type type) { return std::find(types.begin(), types.end(), type) != types.end(); };
    if (types.size() == 2 && (sign == "+" || sign == "-") &&
        (has(Type::kTimestamp) || has(Type::kDuration)) && (has(Type::kInt64) || has(Type::kFloat64)))
      return message + "; write duration(\"3s\") for a length of time";
    if (has_string && has(Type::kTimestamp)) return message + "; write timestamp(\"…\") for a time";
    if (has_string && has(Type::kDuration)) return message + "; write duration(\"1h\") for a duration";
    if (has_string && types.size() == 2 && types[0] != types[1])
      return message + "; convert one with string(…), int(…) or double(…)";
    if (sign == "%" && has(Type::kFloat64)) return message + "; it is for int64 only";
    return message;
  }
  std::vector<std::string> signatures;
  for (const Overload* one : overloads)
    signatures.push_back(SignatureOf(one->parameters));
  return Quoted(node.text) + " takes " + Listed(signatures) + ", not " + SignatureOf(types);
}

}  // namespace

std::optional<std::vector<Instruction>> Checker::Run(const Syntax& root, std::optional<Type> expected) {
  Value value = Check(root);
  if (!value.bad && value.null && !expected) Error(root, "null alone has no type; name a column or a value");
  if (!value.bad && !failed_ && expected) {
    if (value.null || Fits(value.type, *expected)) {
      value = As(root, value, *expected);
    } else {
      std::string hint;
      if (*expected == Type::kString) hint = "; convert it with string(…)";
      if (*expected == Type::kBool) hint = "; compare it with something";
      if (*expected == Type::kFloat64 && value.type == Type::kString) hint = "; convert it with double(…)";
      if (*expected == Type::kInt64 && value.type == Type::kFloat64) hint = "; convert it with int(…)";
      Syntax whole;  // the whole expression is meant, not its last operator
      Error(whole,
            "expected " + WithArticle(*expected) + " here, and this is " + WithArticle(value.type) + hint);
    }
  }
  if (failed_) return std::nullopt;
  // Only what the result needs, in the same order: folding left constants behind.
  std::vector<uint32_t> place(all_.size(), 0);
  std::vector<bool> needed(all_.size(), false);
  needed[value.index] = true;
  for (size_t i = all_.size(); i-- > 0;) {
    for (size_t k = 0; needed[i] && k < all_[i].arity; ++k)
      needed[all_[i].arguments[k]] = true;
  }
  std::vector<Instruction> kept;
  for (size_t i = 0; i < all_.size(); ++i) {
    if (!needed[i]) continue;
    for (size_t k = 0; k < all_[i].arity; ++k)
      all_[i].arguments[k] = place[all_[i].arguments[k]];
    place[i] = static_cast<uint32_t>(kept.size());
    kept.push_back(std::move(all_[i]));
  }
  return kept;
}

Checker::Value Checker::Check(const Syntax& node) {
  switch (node.kind) {
    case Syntax::Kind::kNull:
      return {0, Type::kBool, false, true};
    case Syntax::Kind::kBool:
      return Constant(Type::kBool, node.integer != 0);
    case Syntax::Kind::kInt:
      return Constant(Type::kInt64, node.integer);
    case Syntax::Kind::kFloat:
      return Constant(Type::kFloat64, node.number);
    case Syntax::Kind::kString:
      return Constant(Type::kString, node.text);
    case Syntax::Kind::kBytes:
      return Constant(Type::kBytes, node.text);
    case Syntax::Kind::kName:
      return CheckName(node);
    case Syntax::Kind::kList:
      Error(node, "a list may stand only to the right of `in`");
      return Bad();
    case Syntax::Kind::kCall:
      return CheckCall(node);
    case Syntax::Kind::kOperator:
      return CheckOperator(node);
  }
  return Bad();
}

Checker::Value Checker::CheckName(const Syntax& node) {
  if (scope_.Hides(node.text)) {  // reported where it was to be made
    failed_ = true;
    return Bad();
  }
  if (const auto column = scope_.Find(node.text)) return Column(*column);
  std::vector<std::string> names;
  std::string members;
  for (const Field& field : scope_.fields()) {
    names.push_back(field.name);
    if (members.empty() && field.name.starts_with(node.text + '.')) members = field.name;
  }
  const auto& functions = FunctionNames();
  std::string message = "no column " + Quoted(node.text);
  if (!members.empty()) {
    message += "; it is an object, name a member such as " + Quoted(members);
  } else if (std::binary_search(functions.begin(), functions.end(), node.text)) {
    message += "; the function is called with parentheses";
  } else {
    message += Suggestion(node.text, names);
  }
  Error(node, message);
  return Bad();
}

Checker::Value Checker::CheckOperator(const Syntax& node) {
  if (node.text == "&&" || node.text == "||") return CheckLogic(node);
  if (node.text == "?:") return CheckConditional(node);
  if (node.text == "in") return CheckIn(node);
  std::vector<Value> arguments;
  bool bad = false;
  for (const Syntax& child : node.children) {
    arguments.push_back(Check(child));
    bad = bad || arguments.back().bad;
  }
  if (bad) return Bad();
  if ((node.text == "==" || node.text == "!=") && (arguments[0].null || arguments[1].null)) {
    return CheckNullTest(node, arguments[0], arguments[1]);
  }
  return Apply(node, arguments);
}

Checker::Value Checker::CheckNullTest(const Syntax& node, Value left, Value right) {
  const bool negated = node.text == "!=";
  if (left.null && right.null) return Constant(Type::kBool, !negated);
  return Emit(node, Type::kBool, IsNullKernel(negated), {left.null ? right : left});
}

bool Checker::ExpectBool(const Syntax& node, Value value, std::string_view where) {
  if (value.bad) return false;
  if (value.null || value.type == Type::kBool) return true;
  Error(node, std::string(where) + " must be a bool, and this is " + WithArticle(value.type));
  return false;
}

Checker::Value Checker::CheckLogic(const Syntax& node) {
  const Value left = Check(node.children[0]);
  const Value right = Check(node.children[1]);
  const std::string where = "what stands beside " + Quoted(node.text);
  const bool left_good = ExpectBool(node.children[0], left, where);
  const bool right_good = ExpectBool(node.children[1], right, where);
  if (!left_good || !right_good) return Bad();
  const bool conjunction = node.text == "&&";
  return Emit(node, Type::kBool, conjunction ? AndKernel() : OrKernel(),
              {As(node, left, Type::kBool), As(node, right, Type::kBool)},
              conjunction ? Demand::kAnd : Demand::kOr);
}

Checker::Value Checker::CheckConditional(const Syntax& node) {
  const Value condition = Check(node.children[0]);
  const Value yes = Check(node.children[1]);
  const Value no = Check(node.children[2]);
  const bool good = ExpectBool(node.children[0], condition, "what stands before `?`");
  if (!good || yes.bad || no.bad) return Bad();
  const auto type = Unify(node, {yes, no}, "the two branches of `?:`");
  if (!type) return Bad();
  const Kernel kernel = ConditionalKernel(*type);
  if (kernel == nullptr) {
    Error(node, "`?:` does not choose between lists");
    return Bad();
  }
  return Emit(node, *type, kernel,
              {As(node, condition, Type::kBool), As(node, yes, *type), As(node, no, *type)}, Demand::kIf);
}

std::optional<Type> Checker::Unify(const Syntax& node, const std::vector<Value>& values,
                                   std::string_view what) {
  std::optional<Type> type;
  for (const Value& value : values) {
    if (value.null) continue;
    if (!type || Fits(*type, value.type)) {
      type = value.type;
    } else if (!Fits(value.type, *type)) {
      Error(node, std::string(what) + " must be of one type, not " + std::string(NameOf(*type)) + " and " +
                      std::string(NameOf(value.type)));
      return std::nullopt;
    }
  }
  if (!type) Error(node, std::string(what) + " are all null; one must have a type");
  return type;
}

Checker::Value Checker::CheckIn(const Syntax& node) {
  const Value value = Check(node.children[0]);
  const Syntax& right = node.children[1];
  if (right.kind != Syntax::Kind::kList) {
    const Value list = Check(right);
    if (value.bad || list.bad) return Bad();
    const Type item = list.type == Type::kListString ? Type::kString : Type::kFloat64;
    if (list.null || !IsList(list.type) || value.null || !Fits(value.type, item)) {
      const auto name = [](Value v) { return v.null ? std::string("null") : std::string(NameOf(v.type)); };
      Error(node, "`in` takes a value and a list of such values, not " + name(value) + " and " + name(list));
      return Bad();
    }
    return Emit(node, Type::kBool, InListKernel(item), {As(node, value, item), list});
  }
  std::vector<Value> all{value};
  bool bad = value.bad;
  for (const Syntax& item : right.children) {
    all.push_back(Check(item));
    bad = bad || all.back().bad;
  }
  if (!bad && (right.children.empty() || value.null)) {
    Error(node, value.null ? "null is in no list; write == null" : "`in` an empty list is never true");
    return Bad();
  }
  const auto type = bad ? std::nullopt : Unify(node, all, "the value and the items of `in`");
  if (!type) return Bad();
  for (Value& one : all)
    one = As(node, one, *type);
  const bool constant =
      std::all_of(all.begin() + 1, all.end(), [&](Value v) { return all_[v.index].is_constant; });
  if (constant && InSetKernel(*type) != nullptr) {
    for (size_t i = 1; i < all.size(); ++i)
      WarnOfImpossible(right.children[i - 1], value, all[i]);
    return Emit(node, Type::kBool, InSetKernel(*type), {all[0]}, Demand::kAll,
                SetOf(*type, {all.begin() + 1, all.end()}));
  }
  const Overload* equal = Choose(OverloadsOf("=="), {*type, *type});
  if (equal == nullptr) {
    Error(node, "`in` does not compare lists");
    return Bad();
  }
  Value result = Emit(node, Type::kBool, equal->kernel, {all[0], all[1]});
  for (size_t i = 2; i < all.size(); ++i) {
    const Value next = Emit(node, Type::kBool, equal->kernel, {all[0], all[i]});
    result = Emit(node, Type::kBool, OrKernel(), {result, next}, Demand::kOr);
  }
  return result;
}

std::shared_ptr<const LiteralSet> Checker::SetOf(Type type, const std::vector<Value>& items) const {
  auto set = std::make_shared<LiteralSet>();
  for (const Value& item : items) {
    const Literal& literal = all_[item.index].literal;
    if (std::holds_alternative<std::monostate>(literal)) {
      set->has_null = true;
    } else if (type == Type::kFloat64) {
      set->numbers.push_back(std::get<double>(literal));
    } else if (IsText(type)) {
      set->texts.push_back(std::get<std::string>(literal));
    } else if (type == Type::kBool) {
      set->integers.push_back(std::get<bool>(literal) ? 1 : 0);
    } else {
      set->integers.push_back(std::get<int64_t>(literal));
    }
  }
  std::sort(set->integers.begin(), set->integers.end());
  std::sort(set->numbers.begin(), set->numbers.end());
  std::sort(set->texts.begin(), set->texts.end());
  return set;
}

Checker::Value Checker::CheckCall(const Syntax& node) {
  std::vector<Value> arguments;
  bool bad = false;
  const auto& names = FunctionNames();
  const bool known = std::binary_search(names.begin(), names.end(), node.text);
  if (!known) {
    std::string hint = Suggestion(UsualName(node.text), names, false);
    if (node.text == "has") hint = "; write `x != null`";
    if (node.text == "if") hint = "; write `condition ? a : b`";
    if (node.text == "now")
      hint = "; there is no clock in expressions, results must not depend on when they run";
    if (hint.empty()) hint = "; docs/expressions.md lists all";
    Error(node, "unknown function " + Quoted(node.text) + hint);
    bad = true;
  }
  for (const Syntax& child : node.children) {
    arguments.push_back(Check(child));
    bad = bad || arguments.back().bad;
  }
  if (bad) return Bad();
  if (node.text == "coalesce") return CheckCoalesce(node, arguments);
  if (node.text == "min" || node.text == "max") return CheckExtremum(node, arguments);
  return Apply(node, arguments);
}

Checker::Value Checker::CheckCoalesce(const Syntax& node, const std::vector<Value>& arguments) {
  if (arguments.size() < 2) {
    Error(node, "`coalesce` takes two values or more");
    return Bad();
  }
  const auto type = Unify(node, arguments, "the values of `coalesce`");
  if (!type) return Bad();
  const Kernel kernel = CoalesceKernel(*type);
  if (kernel == nullptr) {
    Error(node, "`coalesce` does not take lists");
    return Bad();
  }
  Value result = As(node, arguments[0], *type);
  for (size_t i = 1; i < arguments.size(); ++i) {
    result = Emit(node, *type, kernel, {result, As(node, arguments[i], *type)}, Demand::kCoalesce);
  }
  return result;
}

Checker::Value Checker::CheckExtremum(const Syntax& node, const std::vector<Value>& arguments) {
  if (arguments.size() < 2) {
    Error(node, Quoted(node.text) + " takes two values or more; over rows it is an aggregate of `features`");
    return Bad();
  }
  const auto type = Unify(node, arguments, "the values of " + Quoted(node.text));
  if (!type) return Bad();
  const Kernel kernel = ExtremumKernel(*type, node.text == "max");
  if (kernel == nullptr) {
    Error(node, Quoted(node.text) + " does not take " + std::string(NameOf(*type)));
    return Bad();
  }
  Value result = As(node, arguments[0], *type);
  for (size_t i = 1; i < arguments.size(); ++i)
    result = Emit(node, *type, kernel, {result, As(node, arguments[i], *type)});
  return result;
}

Checker::Value Checker::Apply(const Syntax& node, const std::vector<Value>& arguments) {
  const std::vector<const Overload*> overloads = OverloadsOf(node.text);
  std::vector<Type> types;
  for (const Value& argument : arguments) {
    if (argument.null) {
      Error(node, "null makes all of " + Quoted(node.text == "neg" ? "-" : node.text) +
                      " null; test with == null, or give a value with coalesce(…)");
      return Bad();
    }
    types.push_back(argument.type);
  }
  const Overload* chosen = Choose(overloads, types);
  if (chosen == nullptr) {
    Error(node, Mismatch(node, overloads, types));
    return Bad();
  }
  std::vector<Value> converted;
  for (size_t i = 0; i < arguments.size(); ++i)
    converted.push_back(As(node, arguments[i], chosen->parameters[i]));
  if (node.text == "==" || node.text == "!=") {
    WarnOfImpossible(node, arguments[0], arguments[1]);
    WarnOfImpossible(node, arguments[1], arguments[0]);
  }
  return Emit(node, chosen->result, chosen->kernel, converted);
}

void Checker::WarnOfImpossible(const Syntax& node, Value column, Value value) {
  const Instruction& in = all_[column.index];
  if (!in.is_column() || column.type != Type::kString) return;
  const Field& field = scope_[in.column];
  const auto* text = std::get_if<std::string>(&all_[value.index].literal);
  if (text == nullptr || !all_[value.index].is_constant || field.values.empty()) return;
  if (std::find(field.values.begin(), field.values.end(), *text) != field.values.end()) return;
  sink_.warning(node.offset,
                Quoted(field.name) + " is never \"" + *text + '"' + Suggestion(*text, field.values));
}

}  // namespace freshet
