#include <atomic>
#include <csignal>
#include <cstdio>

#include <unistd.h>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/job_file.h"
#include "engine/cli/open_log.h"
#include "engine/cli/progress.h"
#include "engine/cli/summary.h"
#include "engine/runtime/worker.h"

namespace freshet {

namespace {

StopSignal stop_signal;  // a signal handler can reach nothing else
std::atomic<int> signals_taken{0};

// The first signal asks for an orderly end; a second one leaves at once, as a crash would: nothing committed
// is lost. Two threads may be here at once.
extern "C" void OnSignal(int /*signal*/) {
  if (signals_taken.fetch_add(1) > 0) _exit(kFailed);
  stop_signal.Request();
}

void HandleSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::string StateDirectoryOf(const CommandLine& line, const JobPlan& plan) {
  const std::string job = plan.job.frame.prefix + plan.job.frame.job;
  if (!line.state.empty()) return line.state;
  return line.local.empty() ? "./freshet-state/" + job : line.local + "/state/" + job;
}

}  // namespace

int RunCommand(const CommandLine& line) {
  const std::unique_ptr<JobPlan> plan = LoadJob(line.operands[0], line.set);
  if (plan == nullptr) return kUsage;
  if (!line.summary.empty()) {
    if (Status s = TrySummary(line.summary); !s.ok()) return Refuse(s);
  }
  LogAccess access;
  access.memory_bytes = plan->memory.producer;
  for (const auto& [name, value] : plan->job.frame.kafka)
    access.kafka_settings.emplace_back(name, value.value);
  Result<std::unique_ptr<Log>> log = OpenLog(line, access);
  if (!log.ok()) return Fail(log.status());

  HandleSignals();
  const SystemClock clock;
  ProgressLine progress(clock, ColumnsOfStandardError(), line.progress_every);
  WorkerOptions options;
  options.state_directory = StateDirectoryOf(line, *plan);
  options.instance = line.instance;
  options.until_end = line.until_end;
  options.topics.create_sinks = !line.local.empty();
  options.hooks.progress = [&](const LaneProgress& at) { progress.Show(at); };
  RunReport report;
  const Status status = RunJob(*plan, **log, clock, options, stop_signal, report);
  progress.Finish();
  if (!status.ok()) return Fail(status);
  if (!line.summary.empty()) {
    if (Status s = WriteSummary(line.summary, report); !s.ok()) return Fail(s);
  }
  return kDone;
}

}  // namespace freshet
