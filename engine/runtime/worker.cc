#include "engine/runtime/worker.h"

#include <algorithm>
#include <random>

#include "engine/runtime/state_directory.h"

namespace freshet {

namespace {

constexpr Duration kAbortedWithin = 30 * kSecond;  // after a transaction's time-out

class Figures final : public Report {
 public:
  explicit Figures(RunReport& report) : report_(report) {}
  void Number(std::initializer_list<std::string_view> path, double value) override {
    report_.figures.emplace_back(std::vector<std::string>(path.begin(), path.end()), value);
  }

 private:
  RunReport& report_;
};

std::string JobId(const JobPlan& plan) {
  return plan.job.frame.prefix + plan.job.frame.job;
}

// A name for a changelog that no other has; no result depends on it.
uint64_t DrawLineage() {
  std::random_device device;
  const uint64_t high = device();
  return (high << 32 | device()) | 1;  // 0 stands for none
}

ConsumerOptions Membership(const JobPlan& plan, const WorkerOptions& options, const std::string& member) {
  ConsumerOptions consuming;
  consuming.group = JobId(plan);
  // Static membership only where the name returns: else a restart would wait for the old member to time out.
  if (!options.instance.empty()) consuming.instance = member;
  consuming.session_timeout = options.session_timeout;
  consuming.prefetch_bytes = plan.memory.prefetch;
  consuming.merges = plan.sources.size() > 1;
  consuming.headers = false;
  return consuming;
}

LaneOptions OptionsOfLane(const JobPlan& plan, const WorkerOptions& options, const std::string& member) {
  LaneOptions lane;
  lane.membership = Membership(plan, options, member);
  lane.transactional_id = member;
  lane.transaction_timeout = std::max<Duration>(10 * kSecond, 5 * plan.job.frame.commit.interval);
  // A predecessor under another id may have died within a transaction. It hides what comes after it in the
  // changelogs until the broker ends it, which looks for such every ten seconds.
  lane.patience = std::max(lane.patience, lane.transaction_timeout + kAbortedWithin);
  lane.until_end = options.until_end;
  lane.most_rows = options.most_rows;
  lane.draw_lineage = options.draw_lineage ? options.draw_lineage : DrawLineage;
  return lane;
}

}  // namespace

Status RunJob(const JobPlan& plan, Log& log, const Clock& clock, WorkerOptions options,
              const StopSignal& stop, RunReport& report) {
  const Duration begin = clock.Steady();
  if (Status s = EnsureTopics(plan, log, options.topics); !s.ok()) return s;
  std::optional<StateDirectory> directory;
  std::string instance = options.instance.empty() ? "memory" : options.instance;
  if (!options.state_directory.empty()) {
    Result<StateDirectory> opened =
        StateDirectory::Open(options.state_directory, {JobId(plan), options.instance, plan.fingerprint});
    if (!opened.ok()) return opened.status();
    directory.emplace(std::move(*opened));
    instance = directory->identity().instance;
  }
  LaneOptions lane_options = OptionsOfLane(plan, options, JobId(plan) + "-" + instance + "-0");
  if (directory) lane_options.state_directory = directory->path();

  LaneHooks hooks = options.hooks;
  Status summarized;
  hooks.before_close = [&](Incarnation& life) {
    Figures figures(report);
    summarized = life.Summarize(figures);
    if (options.hooks.before_close) options.hooks.before_close(life);
  };
  hooks.progress = [&](const LaneProgress& progress) {
    report.commits = progress.commits;
    if (options.hooks.progress) options.hooks.progress(progress);
  };
  const Topology topology(plan);
  StoreResources stores(plan.memory.block_cache, plan.memory.memtables);
  Tally tally;
  Lane lane(plan, topology, log, clock, stores, tally, std::move(lane_options), std::move(hooks));
  Status status = lane.Run(stop);
  report.counts = tally.Committed();
  report.commits_took = lane.commits_took();
  report.elapsed = clock.Steady() - begin;
  if (status.ok()) status = summarized;
  lane.Leave();
  return status;
}

}  // namespace freshet
