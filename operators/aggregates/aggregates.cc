#include <array>

#include "operators/aggregates/aggregate.h"

namespace freshet {

#define AGGREGATE(name) const Aggregate& name##_aggregate();
#include "operators/aggregates/aggregates.def"
#undef AGGREGATE

std::span<const Aggregate* const> Aggregates() {
  static const std::array all = {
#define AGGREGATE(name) &name##_aggregate(),
#include "operators/aggregates/aggregates.def"
#undef AGGREGATE
  };
  return all;
}

const Aggregate* FindAggregate(std::string_view name) {
  for (const Aggregate* aggregate : Aggregates()) {
    if (aggregate->name == name) return aggregate;
  }
  return nullptr;
}

}  // namespace freshet
