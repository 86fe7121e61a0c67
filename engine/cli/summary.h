#pragma once
// What `--summary` writes: what a run did, as JSON (docs/jobs.md). One thread.
#include <string>

#include "engine/base/status.h"
#include "engine/runtime/worker.h"

namespace freshet {

std::string SummaryJson(const RunReport& report);
// Whether it can be written, before the work is done; leaves no file where there was none.
Status TrySummary(const std::string& path);
Status WriteSummary(const std::string& path, const RunReport& report);

}  // namespace freshet
