#pragma once
// Runs a planned job on a log, in this process: checks topics, takes the state directory, joins the group,
// runs the lane and tells what came of it. RunJob blocks; StopSignal may be set from any thread or signal
// handler.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/lane.h"
#include "engine/runtime/topics.h"

namespace freshet {

struct WorkerOptions {
  std::string state_directory;  // empty: stores in memory only, rebuilt from the changelog at each start
  std::string instance;         // empty: the state directory's
  Duration session_timeout = 10 * kSecond;
  bool until_end = false;
  size_t most_rows = 4096;  // of a batch
  TopicPolicy topics;
  std::function<uint64_t()> draw_lineage;  // of changelogs that are begun; empty: from the machine's entropy
  LaneHooks hooks;
};

// What a run did, committed epochs only.
struct RunReport {
  std::map<std::string, uint64_t> counts;                            // `family{label="…"}`
  std::vector<std::pair<std::vector<std::string>, double>> figures;  // of operators, by path
  Duration elapsed = 0;
  uint64_t commits = 0;
  DurationHistogram commits_took;
};

Status RunJob(const JobPlan& plan, Log& log, const Clock& clock, WorkerOptions options,
              const StopSignal& stop, RunReport& report);

}  // namespace freshet
