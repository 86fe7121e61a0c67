#include "engine/runtime/worker.h"

#include <algorithm>

#include "engine/base/logging.h"
#include "engine/runtime/state_directory.h"

namespace freshet {

namespace {

constexpr Duration kCloseWithin = 5 * kSecond;
// A member whose answer from the group was lost, as when its broker dies, is taken for its own successor and
// thrown out for good. Two processes of one --instance throw each other out again and again.
constexpr int kExpulsionsAtMost = 5;
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

Result<std::unique_ptr<Consumer>> Join(const JobPlan& plan, Log& log, const WorkerOptions& options,
                                       const std::string& member) {
  ConsumerOptions consuming;
  consuming.group = JobId(plan);
  // Static membership only where the name returns: else a restart would wait for the old member to time out.
  if (!options.instance.empty()) consuming.instance = member;
  consuming.session_timeout = options.session_timeout;
  consuming.prefetch_bytes = plan.memory.prefetch;
  consuming.merges = plan.sources.size() > 1;
  Result<std::unique_ptr<Consumer>> consumer = log.OpenConsumer(consuming);
  if (!consumer.ok()) return consumer.status();
  if (Status s = (*consumer)->Join(plan.placement_topic); !s.ok()) return s;
  return consumer;
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
  const std::string member = JobId(plan) + "-" + instance + "-0";
  Result<std::unique_ptr<Consumer>> consumer = Join(plan, log, options, member);
  if (!consumer.ok()) return consumer.status();

  const Topology topology(plan);
  StoreResources stores(plan.memory.block_cache, plan.memory.memtables);
  Tally tally;
  LaneOptions lane;
  lane.transactional_id = member;
  lane.state_directory = directory ? directory->path() : "";
  lane.transaction_timeout = std::max<Duration>(10 * kSecond, 5 * plan.job.frame.commit.interval);
  // A predecessor under another id may have died within a transaction. It hides what comes after it in the
  // changelogs until the broker ends it, which looks for such every ten seconds.
  lane.patience = std::max(lane.patience, lane.transaction_timeout + kAbortedWithin);
  lane.until_end = options.until_end;
  lane.most_rows = options.most_rows;
  LaneHooks hooks = options.hooks;
  Status summarized;
  hooks.before_close = [&](Incarnation& life) {
    Figures figures(report);
    summarized = life.Summarize(figures);
    if (options.hooks.before_close) options.hooks.before_close(life);
  };
  uint64_t commits_before = 0;  // of lanes that lost their consumer
  hooks.progress = [&](LaneProgress progress) {
    progress.commits += commits_before;
    report.commits = progress.commits;
    if (options.hooks.progress) options.hooks.progress(progress);
  };
  Status status;
  for (int expulsions = 0;; ++expulsions) {
    status = Lane(plan, topology, log, **consumer, clock, stores, tally, lane, hooks).Run(stop);
    if (status.code() != Code::kFenced || expulsions == kExpulsionsAtMost) break;
    LogWarning("joining the group anew: " + status.message());
    commits_before = report.commits;
    consumer->reset();
    consumer = Join(plan, log, options, member);
    if (!consumer.ok()) return consumer.status();
  }
  report.counts = tally.Committed();
  report.elapsed = clock.Steady() - begin;
  if (status.ok()) status = summarized;
  Status closed = (*consumer)->Close(kCloseWithin);
  if (!closed.ok()) LogWarning("leaving the group: " + closed.message());
  return status;
}

}  // namespace freshet
