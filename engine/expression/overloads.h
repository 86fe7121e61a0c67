#pragma once
// The operators and functions of expressions: which types they take, what they give, and their kernels.
// Inside engine/expression only. Immutable, any thread.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expression/instruction.h"

namespace freshet {

struct Overload {
  std::string_view name;  // of the function, or the operator's sign ("neg" for the minus before a value)
  std::vector<Type> parameters;
  Type result;
  Kernel kernel;
};

// Of one name, in the order in which they are tried. Empty: no such name.
std::vector<const Overload*> OverloadsOf(std::string_view name);
// Functions by name, without operators; ascending.
const std::vector<std::string>& FunctionNames();

// Kernels that the checker places itself.
Kernel WidenKernel();               // int64 to float64
Kernel IsNullKernel(bool negated);  // x == null
Kernel AndKernel();
Kernel OrKernel();
Kernel ConditionalKernel(Type type);
Kernel CoalesceKernel(Type type);
Kernel InSetKernel(Type type);
Kernel InListKernel(Type item);  // value in a column of lists
// min or max of two; null where the type has no order.
Kernel ExtremumKernel(Type type, bool greatest);

// Each folder of functions adds its own.
void AddNumbers(std::vector<Overload>& all);
void AddComparisons(std::vector<Overload>& all);
void AddTexts(std::vector<Overload>& all);
void AddTimes(std::vector<Overload>& all);

}  // namespace freshet
