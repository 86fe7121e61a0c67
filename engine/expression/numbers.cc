#include <cmath>
#include <limits>

#include "engine/base/math.h"
#include "engine/base/number.h"
#include "engine/expression/kernel.h"
#include "engine/expression/overloads.h"

namespace freshet {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

bool AddInts(int64_t a, int64_t b, int64_t& out, Fault&) {
  return !__builtin_add_overflow(a, b, &out);
}
bool SubtractInts(int64_t a, int64_t b, int64_t& out, Fault&) {
  return !__builtin_sub_overflow(a, b, &out);
}
bool MultiplyInts(int64_t a, int64_t b, int64_t& out, Fault&) {
  return !__builtin_mul_overflow(a, b, &out);
}
bool DivideInts(int64_t a, int64_t b, int64_t& out, Fault& why) {
  if (b == 0) why = Fault::kDivisionByZero;
  if (b == 0 || (b == -1 && a == kLeast)) return false;
  out = a / b;
  return true;
}
bool RemainderOfInts(int64_t a, int64_t b, int64_t& out, Fault& why) {
  why = Fault::kDivisionByZero;
  if (b == 0) return false;
  out = b == -1 ? 0 : a % b;
  return true;
}
bool NegateInt(int64_t a, int64_t& out, Fault&) {
  return !__builtin_sub_overflow(int64_t{0}, a, &out);
}
bool AbsInt(int64_t a, int64_t& out, Fault&) {
  out = a == kLeast ? 0 : a < 0 ? -a : a;
  return a != kLeast;
}
int64_t SignOfInt(int64_t a) {
  return (a > 0) - (a < 0);
}
int64_t SameInt(int64_t a) {
  return a;
}

double Add(double a, double b) {
  return a + b;
}
double Subtract(double a, double b) {
  return a - b;
}
double Multiply(double a, double b) {
  return a * b;
}
bool Divide(double a, double b, double& out, Fault& why) {
  if (b == 0) {
    why = Fault::kDivisionByZero;
    return false;
  }
  out = a / b;
  return std::isfinite(out);
}
double Same(double a) {
  return a;
}
double Negate(double a) {
  return -a;
}
double Abs(double a) {
  return std::fabs(a);
}
double Sign(double a) {
  return static_cast<double>((a > 0) - (a < 0));
}
double Floor(double a) {
  return std::floor(a);
}
double Ceil(double a) {
  return std::ceil(a);
}
double Round(double a) {
  return std::round(a);
}
double Root(double a) {
  return std::sqrt(a);
}
double Widen(int64_t a) {
  return static_cast<double>(a);
}

bool Truncate(double a, int64_t& out, Fault&) {
  constexpr double kBound = 9223372036854775808.0;  // 2^63
  if (!(a >= -kBound && a < kBound)) return false;
  out = static_cast<int64_t>(a);
  return true;
}
bool IntOfText(std::string_view text, int64_t& out, Fault& why) {
  why = Fault::kBadConversion;
  const auto parsed = ParseInt(text);
  if (parsed) out = *parsed;
  return parsed.has_value();
}
bool DoubleOfText(std::string_view text, double& out, Fault& why) {
  why = Fault::kBadConversion;
  const auto parsed = ParseDouble(text);
  if (parsed) out = *parsed;
  return parsed.has_value();
}
int64_t IntOfBool(uint8_t a) {
  return a;
}
double DoubleOfBool(uint8_t a) {
  return a;
}

}  // namespace

Kernel WidenKernel() {
  return Total<Widen, double, int64_t>;
}

void AddNumbers(std::vector<Overload>& all) {
  constexpr Type kI = Type::kInt64;
  constexpr Type kF = Type::kFloat64;
  const auto add = [&](std::string_view name, std::vector<Type> parameters, Type result, Kernel kernel) {
    all.push_back({name, std::move(parameters), result, kernel});
  };
  add("+", {kI, kI}, kI, Partial<AddInts, int64_t, int64_t, int64_t>);
  add("-", {kI, kI}, kI, Partial<SubtractInts, int64_t, int64_t, int64_t>);
  add("*", {kI, kI}, kI, Partial<MultiplyInts, int64_t, int64_t, int64_t>);
  add("/", {kI, kI}, kI, Partial<DivideInts, int64_t, int64_t, int64_t>);
  add("%", {kI, kI}, kI, Partial<RemainderOfInts, int64_t, int64_t, int64_t>);
  add("neg", {kI}, kI, Partial<NegateInt, int64_t, int64_t>);
  add("abs", {kI}, kI, Partial<AbsInt, int64_t, int64_t>);
  add("sign", {kI}, kI, Total<SignOfInt, int64_t, int64_t>);
  for (const std::string_view name : {"floor", "ceil", "round", "int"}) {
    add(name, {kI}, kI, Total<SameInt, int64_t, int64_t>);
  }

  add("+", {kF, kF}, kF, Finite<Add, double, double>);
  add("-", {kF, kF}, kF, Finite<Subtract, double, double>);
  add("*", {kF, kF}, kF, Finite<Multiply, double, double>);
  add("/", {kF, kF}, kF, Partial<Divide, double, double, double>);
  add("neg", {kF}, kF, Total<Negate, double, double>);
  add("abs", {kF}, kF, Total<Abs, double, double>);
  add("sign", {kF}, kF, Total<Sign, double, double>);
  add("floor", {kF}, kF, Total<Floor, double, double>);
  add("ceil", {kF}, kF, Total<Ceil, double, double>);
  add("round", {kF}, kF, Total<Round, double, double>);
  add("sqrt", {kF}, kF, Finite<Root, double>);
  add("exp", {kF}, kF, Finite<Exp, double>);
  add("log", {kF}, kF, Finite<Log, double>);
  add("log1p", {kF}, kF, Finite<Log1p, double>);
  add("pow", {kF, kF}, kF, Finite<Pow, double, double>);
  add("sigmoid", {kF}, kF, Finite<Sigmoid, double>);

  add("int", {kF}, kI, Partial<Truncate, int64_t, double>);
  add("int", {Type::kBool}, kI, Total<IntOfBool, int64_t, uint8_t>);
  add("int", {Type::kString}, kI, Partial<IntOfText, int64_t, std::string_view>);
  add("double", {kF}, kF, Total<Same, double, double>);
  add("double", {Type::kBool}, kF, Total<DoubleOfBool, double, uint8_t>);
  add("double", {Type::kString}, kF, Partial<DoubleOfText, double, std::string_view>);
}

}  // namespace freshet
