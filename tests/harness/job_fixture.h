#pragma once
// Runs whole jobs, given as YAML text, on any log: fills the sources' topics, runs the lane until the end of
// them, and reads back what was committed. One thread.
//
// Always: what is read back is what a committed reader of the log sees, so nothing of an abandoned epoch.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/log/log.h"
#include "engine/plan/plan.h"
#include "engine/runtime/worker.h"

namespace freshet {

// A record to write, or one that was read.
struct JobRecord {
  int32_t partition = 0;
  Time timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::map<std::string, std::string> headers;
  bool operator==(const JobRecord&) const = default;
};
std::ostream& operator<<(std::ostream& out, const JobRecord& record);

// The rows of one source: a JSON object each, spread over `partitions` by hand.
struct JobInput {
  std::string topic;
  int32_t partitions = 1;
  std::vector<JobRecord> records;
};

struct JobOptions {
  std::vector<std::string> set;  // --set path=value
  size_t most_rows = 4096;
  std::function<bool(uint64_t rows_in_epoch)> commit_now;
  std::function<void(const LaneProgress&)> progress;
  std::string state_directory;
  std::string instance;
  bool until_end = true;
  std::function<uint64_t()> draw_lineage = [] { return uint64_t{1}; };
  const StopSignal* stop = nullptr;
};

// What a run said and did.
struct JobOutcome {
  Status status;
  RunReport report;
  uint64_t Count(std::string_view name) const;  // 0 where there is none
};

// What a job has committed, in a form in which equal runs are equal however they were cut.
struct JobResult {
  std::map<std::string, std::vector<JobRecord>> sinks;  // topic → records, by partition, in offset order
  std::vector<JobRecord> dead_letters;
  // model → key → bytes, the last record of each key: the published weights, and `v`, their version.
  std::map<std::string, std::map<std::string, std::string>> models;
  // stage → key → bytes over all shards, without closing records: private weights, windows, timers.
  std::map<std::string, std::map<std::string, std::string>> state;
  bool operator==(const JobResult&) const = default;
};

// The plan of a job; a failure of the running test, and null, where the file is not clean.
std::unique_ptr<JobPlan> PlanOf(std::string_view yaml, const Registry& registry,
                                std::vector<std::string> set = {});
// What checking the file says, one fault a line.
std::string DiagnosticsOf(std::string_view yaml, const Registry& registry);

void CreateAndFill(Log& log, const JobInput& input);
void Append(Log& log, std::string_view topic, std::span<const JobRecord> records);
// All committed records of a topic, by partition, in offset order; none where there is no such topic.
std::vector<JobRecord> ReadTopic(Log& log, const std::string& topic);

class JobFixture {
 public:
  // All outlive the fixture; `clock` is that of the log.
  JobFixture(std::string yaml, const Registry& registry, Log& log, const Clock& clock)
      : yaml_(std::move(yaml)), registry_(registry), log_(log), clock_(clock) {}

  void Fill(std::span<const JobInput> inputs) {
    for (const JobInput& input : inputs)
      CreateAndFill(log_, input);
  }
  JobOutcome Run(const JobOptions& options = {});
  // `set`: as it was run, for the names of topics.
  JobResult Read(std::vector<std::string> set = {});

 private:
  std::string yaml_;
  Registry registry_;
  Log& log_;
  const Clock& clock_;
};

// `text` with its first difference from `other`, for messages: results are long.
std::string Difference(const JobResult& expected, const JobResult& found);

}  // namespace freshet
