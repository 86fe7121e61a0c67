#include "engine/operator/operator.h"

namespace freshet {

// An operator that sets no timers is never called here.
Status Operator::OnTimer(const DueTimer& timer, Emitter&) {
  return Internal("a timer of " + std::to_string(timer.time) + " us fell due at an operator that sets none");
}

// Right for every operator, if slow.
bool Operator::EmitsAtOnce(size_t) const {
  return true;
}

Status Operator::Summarize(Report&) {
  return {};
}

}  // namespace freshet
