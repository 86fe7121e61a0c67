#include <cmath>

#include "operators/aggregates/total.h"

namespace freshet {
namespace {

struct FloatSum : FloatTotal {
  using Result = double;
  std::optional<double> Finish() const {
    return count == 0 || !std::isfinite(sum) ? std::nullopt : std::optional<double>(sum);
  }
};

struct IntSum : IntTotal {
  using Result = int64_t;
  std::optional<int64_t> Finish() const { return count == 0 ? std::nullopt : Narrow(sum.Get()); }
};

std::optional<Fold> FoldFor(std::optional<Type> argument) {
  if (!argument) return std::nullopt;
  switch (*argument) {
    case Type::kFloat64:
      return FoldOf<FloatSum>(Type::kFloat64);
    case Type::kBool:
    case Type::kInt64:
      return FoldOf<IntSum>(Type::kInt64);
    case Type::kDuration:
      return FoldOf<IntSum>(Type::kDuration);
    default:
      return std::nullopt;
  }
}

}  // namespace

const Aggregate& sum_aggregate() {
  static const Aggregate aggregate{
      "sum",
      "sum of the argument, of its type (a bool counts 1); null for an empty window and "
      "where the sum is out of range",
      "a number, a bool or a duration", false, &FoldFor};
  return aggregate;
}

}  // namespace freshet
