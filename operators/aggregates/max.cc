#include "operators/aggregates/extremum.h"

namespace freshet {
namespace {

bool FloatBefore(double a, double b) {
  return a > b;
}
bool IntBefore(int64_t a, int64_t b) {
  return a > b;
}

}  // namespace

const Aggregate& max_aggregate() {
  static const Aggregate aggregate{
      "max", "greatest value of the argument, of its type; null for an empty window",
      "a number, a timestamp or a duration", false, &ExtremumFor<&FloatBefore, &IntBefore>};
  return aggregate;
}

}  // namespace freshet
