#pragma once
// What min and max share: the first of the values that none comes before. Exact, so any order of rows gives
// the same.
#include "operators/aggregates/fold.h"

namespace freshet {

// Before(a, b): a is to be kept rather than b. Equal values (0 and -0) keep the one that came first.
template <class V, bool (*Before)(V, V)>
struct Extremum {
  using Value = V;
  using Result = V;
  V best = V{};
  int64_t present = 0;
  void Add(V value) {
    if (present != 0 && !Before(value, best)) return;
    best = value;
    present = 1;
  }
  void Merge(const Extremum& later) {
    if (later.present != 0) Add(later.best);
  }
  std::optional<V> Finish() const { return present == 0 ? std::nullopt : std::optional<V>(best); }
};

template <bool (*FloatBefore)(double, double), bool (*IntBefore)(int64_t, int64_t)>
std::optional<Fold> ExtremumFor(std::optional<Type> argument) {
  if (!argument) return std::nullopt;
  switch (*argument) {
    case Type::kFloat64:
      return FoldOf<Extremum<double, FloatBefore>>(Type::kFloat64);
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      return FoldOf<Extremum<int64_t, IntBefore>>(*argument);
    default:
      return std::nullopt;
  }
}

}  // namespace freshet
