#pragma once
// Cuts the operators into stages where the key changes, and finds what order the sources have among
// themselves. Internal to engine/plan; one thread.
#include "engine/plan/graph.h"
#include "engine/plan/plan.h"

namespace freshet {

// Fills plan.stages and trainers of plan.models. REQUIRES: operators bound.
void AssignStages(const Draft& draft, JobPlan& plan);
// Fills role and confluence of plan.sources.
void AssignRoles(const Draft& draft, JobPlan& plan);
void AssignConfluences(JobPlan& plan);
// Where the order of arrival will do, finds what need not be merged: fills `apart` of plan.sources and
// plan.stages. REQUIRES: stages and confluences assigned.
void AssignApart(JobPlan& plan);

}  // namespace freshet
