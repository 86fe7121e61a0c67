#pragma once
// Where rows of one source meet one another: an operator that they reach by two ports, or a model that they
// reach both where it predicts and where it learns. What a row does there must be done before the next row
// comes, so that batches never show. Pure.
#include <cstdint>
#include <vector>

#include "engine/plan/plan.h"

namespace freshet {

struct Reach {
  bool row_by_row = false;  // they meet whatever comes
  struct Gate {             // they meet where one of these emits at once
    uint32_t op = 0;
    uint32_t port = 0;
    bool operator==(const Gate&) const = default;
  };
  std::vector<Gate> gates;  // ascending; none: they never meet, or always
};

Reach ReachOf(const JobPlan& plan, uint32_t source);

}  // namespace freshet
