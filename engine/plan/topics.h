#pragma once
// The names of a job's own topics, and who may read and write which. Internal to engine/plan; one thread.
#include <string>

#include "engine/plan/plan.h"

namespace freshet {

// `<prefix><job>.<what>`, with what in placement, dead-letters, changelog.<stage>, model.<model>.
std::string OwnTopic(const Job& job, const std::string& what);
// Reports sources and sinks on the job's own topics, and sinks on what the job reads.
void CheckTopics(const JobPlan& plan, Diagnostics& diagnostics);
// Reports own topics whose names no log takes. REQUIRES: stages assigned.
void CheckOwnTopics(const JobPlan& plan, Diagnostics& diagnostics);

}  // namespace freshet
