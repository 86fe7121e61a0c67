#include "engine/operator/operator.h"

namespace freshet {

Status Operator::Open(uint32_t) {
  return {};
}

// An operator that sets no timers is never called here.
Status Operator::OnTimer(const DueTimer& timer, Emitter&) {
  return Internal("a timer of " + std::to_string(timer.time) + " us fell due at an operator that sets none");
}

// Right for every operator, if slow.
Time Operator::EmitsAtOnceUntil(size_t) const {
  return kMaxTime;
}

Status Operator::Summarize(Report&) {
  return {};
}

}  // namespace freshet
