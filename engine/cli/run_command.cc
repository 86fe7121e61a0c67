#include <optional>
#include <string>
#include <utility>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/job_file.h"
#include "engine/cli/open_files.h"
#include "engine/cli/open_log.h"
#include "engine/cli/progress.h"
#include "engine/cli/signals.h"
#include "engine/cli/summary.h"
#include "engine/runtime/worker.h"

namespace freshet {

namespace {

std::string StateDirectoryOf(const CommandLine& line, const JobPlan& plan) {
  const std::string job = plan.job.frame.prefix + plan.job.frame.job;
  if (!line.state.empty()) return line.state;
  return line.local.empty() ? "./freshet-state/" + job : line.local + "/state/" + job;
}

}  // namespace

int RunCommand(const CommandLine& line) {
  AllowOpenFiles();
  const std::unique_ptr<JobPlan> plan = LoadJob(line.operands[0], line.set);
  if (plan == nullptr) return kUsage;
  std::optional<SummaryFile> summary;
  if (!line.summary.empty()) {
    Result<SummaryFile> file = SummaryFile::Open(line.summary, line.operands[0]);
    if (!file.ok()) return Refuse(file.status());
    summary.emplace(std::move(*file));
  }
  LogAccess access;
  access.memory_bytes = plan->memory.producer;
  for (const auto& [name, value] : plan->job.frame.kafka) {
    access.kafka_settings.emplace_back(name, value.value);
    if (value.hidden) access.secrets.push_back(value.value);
  }
  Result<std::unique_ptr<Log>> log = OpenLog(line, access);
  if (!log.ok()) return Fail(log.status());

  const SystemClock clock;
  ProgressLine progress(clock, ColumnsOfStandardError(), line.progress_every);
  WorkerOptions options;
  options.state_directory = StateDirectoryOf(line, *plan);
  options.instance = line.instance;
  options.until_end = line.until_end;
  options.topics.create_sinks = !line.local.empty();
  options.hooks.progress = [&](const LaneProgress& at) { progress.Show(at); };
  RunReport report;
  const Status status = RunJob(*plan, **log, clock, options, StopOnSignals(), report);
  progress.Finish();
  if (!status.ok()) return Fail(status);
  if (summary) {
    if (Status s = summary->Write(report); !s.ok()) return Fail(s);
  }
  return kDone;
}

}  // namespace freshet
