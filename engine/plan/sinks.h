#pragma once
// Sinks, and which columns anything reads. Internal to engine/plan; one thread.
#include "engine/plan/plan.h"

namespace freshet {

// Resolves `name` or `name.side` among the sources and bound operators; nothing (reported, or hidden by what
// was) where there is none.
std::optional<StreamId> FindStream(const JobPlan& plan, const StreamRef& reference, Diagnostics& diagnostics);
// The format of a source or sink, from the member of its spec; null (reported) where there is none.
const Format* FormatOf(const std::string& format, const Positions& positions, Diagnostics& diagnostics);
void PlanSinks(JobPlan& plan, Diagnostics& diagnostics);
// Fills PlannedOperator::read by walking back from sinks and from what operators read themselves.
void MarkRead(JobPlan& plan);

}  // namespace freshet
