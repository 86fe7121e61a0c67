#pragma once
// A job file from disk to its plan. One thread.
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/plan/plan.h"

namespace freshet {

// Null where the file cannot be read or is faulty; prints everything wrong, and warnings, to standard error.
std::unique_ptr<JobPlan> LoadJob(const std::string& path, const std::vector<std::string>& overrides);
// The text of a job file; of one that is too large only so much that its reader finds it too large.
Result<std::string> ReadJobFile(const std::string& path);

}  // namespace freshet
