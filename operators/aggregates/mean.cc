#include <cmath>

#include "operators/aggregates/total.h"

namespace freshet {
namespace {

struct FloatMean : FloatTotal {
  using Result = double;
  std::optional<double> Finish() const {
    if (count == 0 || !std::isfinite(sum)) return std::nullopt;
    return sum / static_cast<double>(count);
  }
};

struct IntMean : IntTotal {
  using Result = double;
  std::optional<double> Finish() const {
    if (count == 0) return std::nullopt;
    return static_cast<double>(sum.Get()) / static_cast<double>(count);
  }
};

// Rounded down to a microsecond.
struct DurationMean : IntTotal {
  using Result = int64_t;
  std::optional<int64_t> Finish() const {
    if (count == 0) return std::nullopt;
    const Int128 total = sum.Get();
    const Int128 quotient = total / count;
    return Narrow(quotient * count > total ? quotient - 1 : quotient);
  }
};

std::optional<Fold> FoldFor(std::optional<Type> argument) {
  if (!argument) return std::nullopt;
  switch (*argument) {
    case Type::kFloat64:
      return FoldOf<FloatMean>(Type::kFloat64);
    case Type::kBool:
    case Type::kInt64:
      return FoldOf<IntMean>(Type::kFloat64);
    case Type::kDuration:
      return FoldOf<DurationMean>(Type::kDuration);
    default:
      return std::nullopt;
  }
}

}  // namespace

const Aggregate& mean_aggregate() {
  static const Aggregate aggregate{
      "mean",
      "mean of the argument: a float64 (of a bool: the share that is true), or a "
      "duration; null for an empty window",
      "a number, a bool or a duration", false, &FoldFor};
  return aggregate;
}

}  // namespace freshet
