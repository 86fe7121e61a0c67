#pragma once
// The last look at a plan before it runs. Internal to engine/plan; one thread.
#include "engine/plan/plan.h"

namespace freshet {

// Reports what cannot be run though no fault was found: always one of ours, and told before anything is
// opened. REQUIRES: diagnostics.ok(), everything bound.
void CheckRunnable(const JobPlan& plan, Diagnostics& diagnostics);

}  // namespace freshet
