#pragma once
// The names of a job's own topics, and who may read and write which. Internal to engine/plan; one thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/plan/plan.h"

namespace freshet {

// What a job keeps in topics of its own.
enum class OwnUse : uint8_t { kPlacement, kDeadLetters, kChangelog, kModel, kRepartition };

// `<prefix><job>.placement`, or, where there is one for each of something, `<prefix><job>.model.<of>`.
std::string OwnTopic(const Job& job, OwnUse use, std::string_view of = "");
// Reports sources and sinks on the job's own topics, and sinks on what the job reads.
void CheckTopics(const JobPlan& plan, Diagnostics& diagnostics);
// Reports own topics whose names no log takes. REQUIRES: stages assigned.
void CheckOwnTopics(const JobPlan& plan, Diagnostics& diagnostics);

}  // namespace freshet
