#include "engine/plan/runnable.h"

#include <algorithm>

namespace freshet {

namespace {

// What keeps an operator from running; "" for nothing.
std::string_view Lack(const Plan& plan) {
  if (!plan.make) return "nothing to run";
  for (const Output& output : plan.outputs) {
    if (output.schema.HidesAny()) return "columns of which nothing is known";
    if (output.derivations.size() != output.schema.size()) return "columns that come from nowhere";
  }
  return "";
}

}  // namespace

void CheckRunnable(const JobPlan& plan, Diagnostics& diagnostics) {
  const auto refuse = [&](Position at, const std::string& who, std::string_view lack) {
    diagnostics.Error(at, "internal error: " + who + " has " + std::string(lack) +
                              ", and no fault of the job file was found; report this with the job file");
  };
  const FrameSpec& frame = plan.job.frame;
  for (size_t s = 0; s < plan.sources.size(); ++s) {
    const PlannedSource& source = plan.sources[s];
    const Position at = plan.job.positions.Of(&frame.sources[s].second);
    if (source.schema.HidesAny())
      refuse(at, "source `" + source.name + "`", "columns of which nothing is known");
    if (source.event_time >= source.schema.size())
      refuse(at, "source `" + source.name + "`", "no event time");
  }
  for (const PlannedOperator& op : plan.operators) {
    const std::string_view lack = Lack(op.plan);
    if (lack.empty()) continue;
    const auto body = std::find_if(frame.operators.begin(), frame.operators.end(),
                                   [&](const auto& entry) { return entry.first == op.name; });
    refuse(body == frame.operators.end() ? Position{} : body->second.position, "operator `" + op.name + "`",
           lack);
  }
}

}  // namespace freshet
