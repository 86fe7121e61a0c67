#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "engine/base/math.h"
#include "engine/base/number.h"
#include "engine/base/time.h"
#include "tests/engine/expression/oracle.h"

namespace freshet {
namespace {

__extension__ using Wide = __int128;  // holds every result of two int64

const Value kNothing;
bool IsNull(const Value& v) {
  return std::holds_alternative<std::monostate>(v);
}
int64_t Int(const Value& v) {
  return std::get<int64_t>(v);
}
const std::string& Text(const Value& v) {
  return std::get<std::string>(v);
}
double Number(const Value& v) {
  return std::holds_alternative<int64_t>(v) ? static_cast<double>(std::get<int64_t>(v)) : std::get<double>(v);
}
bool IsInt(const Value& v) {
  return std::holds_alternative<int64_t>(v);
}
bool IsText(const Value& v) {
  return std::holds_alternative<std::string>(v);
}

Value Finite(double x, ExpressionFaults& faults) {
  if (std::isfinite(x)) return x;
  ++faults.overflow;
  return kNothing;
}
Value Fit(Wide x, ExpressionFaults& faults) {
  if (x >= std::numeric_limits<int64_t>::min() && x <= std::numeric_limits<int64_t>::max())
    return static_cast<int64_t>(x);
  ++faults.overflow;
  return kNothing;
}
Value ZeroDivision(ExpressionFaults& faults) {
  ++faults.division_by_zero;
  return kNothing;
}

int Order(const Value& a, const Value& b) {
  if (IsText(a)) return Text(a) < Text(b) ? -1 : Text(a) > Text(b) ? 1 : 0;
  if (std::holds_alternative<bool>(a)) return std::get<bool>(a) - std::get<bool>(b);
  if (IsInt(a) && IsInt(b)) return Int(a) < Int(b) ? -1 : Int(a) > Int(b) ? 1 : 0;
  return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0;
}

Value Arithmetic(const Tree& tree, const Value& a, const Value& b, ExpressionFaults& faults) {
  const std::string& op = tree.op;
  if (IsText(a)) return Text(a) + Text(b);
  const bool spans = tree.kids[0].type == Type::kDuration && tree.kids[1].type == Type::kDuration;
  if (op == "/" && spans) {
    return Int(b) == 0 ? ZeroDivision(faults)
                       : Value(static_cast<double>(Int(a)) / static_cast<double>(Int(b)));
  }
  if (IsInt(a) && IsInt(b)) {
    const Wide x = Int(a);
    const Wide y = Int(b);
    if (op == "+") return Fit(x + y, faults);
    if (op == "-") return Fit(x - y, faults);
    if (op == "*") return Fit(x * y, faults);
    if (y == 0) return ZeroDivision(faults);
    return Fit(op == "/" ? x / y : x % y, faults);
  }
  const double x = Number(a);
  const double y = Number(b);
  if (op == "+") return Finite(x + y, faults);
  if (op == "-") return Finite(x - y, faults);
  if (op == "*") return Finite(x * y, faults);
  return y == 0 ? ZeroDivision(faults) : Finite(x / y, faults);
}

template <class T>
Value Parsed(const std::optional<T>& parsed, ExpressionFaults& faults) {
  if (parsed) return *parsed;
  ++faults.bad_conversion;
  return kNothing;
}

std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) out.emplace_back();
    out.back() += c;
  }
  return out;
}

Value Getter(const std::string& op, int64_t time) {
  // By counting: days from the epoch's year on, so that nothing is shared with the engine's calendar.
  Wide days = time / kDay;
  int64_t within = time % kDay;
  if (within < 0) {
    within += kDay;
    --days;
  }
  if (op == "hour") return within / kHour;
  if (op == "minute") return within / kMinute % 60;
  if (op == "second") return within / kSecond % 60;
  auto day = static_cast<int64_t>(days);
  if (op == "dayOfWeek") return ((day + 3) % 7 + 7) % 7 + 1;
  const auto leap = [](int64_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); };
  int64_t year = 1970 + (day / 146097) * 400;
  day %= 146097;
  while (day < 0)
    day += leap(--year) ? 366 : 365;
  while (day >= (leap(year) ? 366 : 365))
    day -= leap(year++) ? 366 : 365;
  if (op == "year") return year;
  const int lengths[] = {31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t month = 0;
  while (day >= lengths[month])
    day -= lengths[month++];
  return op == "month" ? month + 1 : day + 1;
}

Value Conversion(const Tree& tree, const Value& a, ExpressionFaults& faults) {
  const Type from = tree.kids[0].type;
  if (tree.op == "string") {
    if (from == Type::kBool) return std::string(std::get<bool>(a) ? "true" : "false");
    if (from == Type::kInt64) return std::to_string(Int(a));
    if (from == Type::kFloat64) return FormatDouble(Number(a));
    if (from == Type::kTimestamp) return FormatTimestamp(Int(a));
    if (from == Type::kDuration) return FormatDuration(Int(a));
    return a;
  }
  if (tree.op == "double") {
    if (from == Type::kBool) return std::get<bool>(a) ? 1.0 : 0.0;
    return from == Type::kString ? Parsed(ParseDouble(Text(a)), faults) : Value(Number(a));
  }
  if (tree.op == "timestamp") {
    return from == Type::kString ? Parsed(ParseTimestamp(Text(a)), faults)
                                 : Fit(static_cast<Wide>(Int(a)) * kSecond, faults);
  }
  if (tree.op == "duration") return Parsed(ParseDuration(Text(a)), faults);
  if (from == Type::kBool) return std::get<bool>(a) ? int64_t{1} : int64_t{0};
  if (from == Type::kString) return Parsed(ParseInt(Text(a)), faults);
  if (from == Type::kTimestamp) return Int(a) / kSecond - (Int(a) % kSecond < 0 ? 1 : 0);
  if (from == Type::kInt64) return a;
  const double whole = std::trunc(Number(a));
  if (whole >= -0x1p63 && whole < 0x1p63) return static_cast<int64_t>(whole);
  ++faults.overflow;
  return kNothing;
}

Value TextFunction(const std::string& op, const std::vector<Value>& v) {
  if (op == "contains") return Text(v[0]).find(Text(v[1])) != std::string::npos;
  if (op == "startsWith") return Text(v[0]).rfind(Text(v[1]), 0) == 0;
  if (op == "endsWith") {
    return Text(v[0]).size() >= Text(v[1]).size() &&
           Text(v[0]).substr(Text(v[0]).size() - Text(v[1]).size()) == Text(v[1]);
  }
  if (op == "substring") {
    const auto characters = Characters(Text(v[0]));
    std::string out;
    for (size_t i = 0; i < characters.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      if (at >= Int(v[1]) && (v.size() == 2 || at < Int(v[2]))) out += characters[i];
    }
    return out;
  }
  std::string out = Text(v[0]);
  for (char& c : out) {
    if (op == "lower" && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (op == "upper" && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

Value Size(const Value& v) {
  if (IsText(v)) return static_cast<int64_t>(Characters(Text(v)).size());
  if (const auto* numbers = std::get_if<std::vector<double>>(&v))
    return static_cast<int64_t>(numbers->size());
  return static_cast<int64_t>(std::get<std::vector<std::string>>(v).size());
}

Value Mathematics(const std::string& op, const std::vector<Value>& v, ExpressionFaults& faults) {
  if (IsInt(v[0]) && (op == "neg" || op == "abs")) {
    const Wide x = Int(v[0]);
    return Fit(op == "neg" || x < 0 ? -x : x, faults);
  }
  if (IsInt(v[0]) && op == "sign") return int64_t{Int(v[0]) > 0} - int64_t{Int(v[0]) < 0};
  if (IsInt(v[0]) && (op == "floor" || op == "ceil" || op == "round")) return v[0];
  const double x = Number(v[0]);
  if (op == "neg") return -x;
  if (op == "abs") return std::fabs(x);
  if (op == "sign") return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0;
  if (op == "floor") return std::floor(x);
  if (op == "ceil") return std::ceil(x);
  if (op == "round")
    return std::trunc(x) +
           (std::fabs(x - std::trunc(x)) >= 0.5 ? std::copysign(1.0, x) : std::copysign(0.0, x));
  if (op == "sqrt") return Finite(std::sqrt(x), faults);
  if (op == "exp") return Finite(Exp(x), faults);
  if (op == "log") return Finite(Log(x), faults);
  if (op == "log1p") return Finite(Log1p(x), faults);
  if (op == "sigmoid") return Finite(Sigmoid(x), faults);
  return Finite(Pow(x, Number(v[1])), faults);
}

Value In(const Tree& tree, const Row& row, ExpressionFaults& faults) {
  const Value x = Interpret(tree.kids[0], row, faults);
  bool unknown = IsNull(x);
  if (tree.kids.size() == 2 && IsList(tree.kids[1].type)) {
    const Value list = Interpret(tree.kids[1], row, faults);
    if (unknown || IsNull(list)) return kNothing;
    if (const auto* numbers = std::get_if<std::vector<double>>(&list)) {
      return std::find(numbers->begin(), numbers->end(), Number(x)) != numbers->end();
    }
    const auto& texts = std::get<std::vector<std::string>>(list);
    return std::find(texts.begin(), texts.end(), Text(x)) != texts.end();
  }
  for (size_t i = 1; i < tree.kids.size(); ++i) {
    const Value item = Interpret(tree.kids[i], row, faults);
    if (!IsNull(x) && !IsNull(item) && Order(x, item) == 0) return true;
    unknown = unknown || IsNull(item);
  }
  return unknown ? kNothing : Value(false);
}

// What does not evaluate all its parts, or treats null specially. False: it is none of these.
bool Special(const Tree& tree, const Row& row, ExpressionFaults& faults, Value& out) {
  const auto kid = [&](size_t i) { return Interpret(tree.kids[i], row, faults); };
  if (tree.op == "&&" || tree.op == "||") {
    const bool decides = tree.op == "||";
    const Value left = kid(0);
    if (!IsNull(left) && std::get<bool>(left) == decides) {
      out = decides;
      return true;
    }
    const Value right = kid(1);
    if (!IsNull(right) && std::get<bool>(right) == decides) {
      out = decides;
    } else {
      out = IsNull(left) || IsNull(right) ? kNothing : Value(!decides);
    }
  } else if (tree.op == "?:") {
    const Value condition = kid(0);
    out = IsNull(condition) ? kNothing : kid(std::get<bool>(condition) ? 1 : 2);
  } else if (tree.op == "coalesce") {
    out = kNothing;
    for (size_t i = 0; i < tree.kids.size() && IsNull(out); ++i)
      out = kid(i);
  } else if (tree.op == "isnull" || tree.op == "notnull") {
    out = IsNull(kid(0)) == (tree.op == "isnull");
  } else if (tree.op == "in") {
    out = In(tree, row, faults);
  } else {
    return false;
  }
  return true;
}

Value Strict(const Tree& tree, const std::vector<Value>& v, ExpressionFaults& faults) {
  const std::string& op = tree.op;
  if (op == "!") return !std::get<bool>(v[0]);
  if (op == "==") return Order(v[0], v[1]) == 0;
  if (op == "!=") return Order(v[0], v[1]) != 0;
  if (op == "<") return Order(v[0], v[1]) < 0;
  if (op == "<=") return Order(v[0], v[1]) <= 0;
  if (op == ">") return Order(v[0], v[1]) > 0;
  if (op == ">=") return Order(v[0], v[1]) >= 0;
  if (op == "+" || op == "-" || op == "*" || op == "/" || op == "%")
    return Arithmetic(tree, v[0], v[1], faults);
  if (op == "min" || op == "max") {
    Value best = tree.type == Type::kFloat64 ? Value(Number(v[0])) : v[0];
    for (const Value& one : v) {
      const int order = Order(one, best);
      if (op == "min" ? order < 0 : order > 0) best = tree.type == Type::kFloat64 ? Value(Number(one)) : one;
    }
    return best;
  }
  if (op == "size") return Size(v[0]);
  if (op == "string" || op == "int" || op == "double" || op == "timestamp" || op == "duration") {
    return Conversion(tree, v[0], faults);
  }
  for (const char* getter : {"year", "month", "day", "hour", "minute", "second", "dayOfWeek"}) {
    if (op == getter) return Getter(op, Int(v[0]));
  }
  if (IsText(v[0])) return TextFunction(op, v);
  return Mathematics(op, v, faults);
}

}  // namespace

Value Interpret(const Tree& tree, const Row& row, ExpressionFaults& faults) {
  Value out;
  if (tree.op == "literal") {
    out = tree.literal;
  } else if (tree.op == "column") {
    out = row[tree.column];
  } else if (!Special(tree, row, faults, out)) {
    std::vector<Value> values;
    bool null = false;
    for (const Tree& kid : tree.kids) {
      values.push_back(Interpret(kid, row, faults));
      null = null || IsNull(values.back());
    }
    out = null ? kNothing : Strict(tree, values, faults);
  }
  if (tree.type == Type::kFloat64 && IsInt(out)) out = Number(out);
  return out;
}

std::string ToText(const Value& value) {
  if (IsNull(value)) return "null";
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (IsInt(value)) return std::to_string(Int(value));
  if (const auto* d = std::get_if<double>(&value)) return std::isfinite(*d) ? FormatDouble(*d) : "not finite";
  return IsText(value) ? '"' + Text(value) + '"' : "a list";
}

bool Same(const Value& a, const Value& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return std::bit_cast<uint64_t>(*x) == std::bit_cast<uint64_t>(*y);
  return a == b;
}

}  // namespace freshet
