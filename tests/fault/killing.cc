#include "tests/fault/killing.h"

#include <cinttypes>
#include <cstdio>

#include <gtest/gtest.h>
#include <signal.h>

#include "engine/base/clock.h"

namespace freshet {

namespace {

// The delays let kills fall anywhere in an epoch, its commit too, and one anywhere in a recovery.
constexpr uint64_t kAfterMark = 20 * kMillisecond;
constexpr uint64_t kAfterStart = 200 * kMillisecond;
constexpr double kLastMark =
    0.95;  // of the month: what is left keeps the program busy until the kill arrives

uint64_t PositionOf(FlightsRun& run, uint64_t total) {
  const std::optional<FlightsProgress> progress = run.Progress();
  return progress && progress->commits > 0 ? total - static_cast<uint64_t>(progress->lag) : 0;
}

bool Committed(FlightsRun& run) {
  const std::optional<FlightsProgress> progress = run.Progress();
  return progress && progress->commits > 0;
}

void Print(const std::vector<Kill>& kills, uint64_t total) {
  for (size_t i = 0; i < kills.size(); ++i) {
    const Kill& kill = kills[i];
    std::printf("kill %zu: mark %" PRIu64 ", fell at row %" PRIu64 " of %" PRIu64 ", %s", i + 1, kill.mark,
                kill.position, total,
                kill.between ? "between the first and the last commit" : "outside the commits");
    if (kill.restart > 0) std::printf(", committed again %" PRId64 " ms later", kill.restart / kMillisecond);
    std::printf("\n");
  }
  std::fflush(stdout);
}

// Whether the kill met a program that still ran.
bool KillNow(FlightsRun& run) {
  run.process().Signal(SIGKILL);
  const int code = run.Finish();
  if (code == 128 + SIGKILL) return true;
  ADD_FAILURE() << "the kill met a program that had ended with " << code << "\n" << run.Printed();
  return false;
}

bool KillWhileStarting(FlightsRun& run, Random& random) {
  run.Start();
  if (testing::Test::HasFatalFailure()) return false;
  const uint64_t delay = random.Below(kAfterStart);
  run.process().Wait(static_cast<Duration>(delay));
  std::printf("and one %" PRIu64 " us after a start\n", delay);
  return KillNow(run);
}

// The time from its start to its first commit; 0: it ended before.
Duration StartAndCommit(FlightsRun& run, uint64_t total) {
  const SystemClock clock;
  const Duration started = clock.Steady();
  run.Start();
  if (testing::Test::HasFatalFailure()) return 0;
  return run.AwaitPosition(1, total) ? clock.Steady() - started : 0;
}

}  // namespace

std::vector<Kill> KillAgainAndAgain(FlightsRun& run, uint64_t total_rows, int kills, Random& random) {
  std::vector<Kill> fallen;
  const auto span = kLastMark * static_cast<double>(total_rows) / kills;
  bool any_commit = false;
  for (int i = 0; i < kills; ++i) {
    if (i == kills / 2 && !KillWhileStarting(run, random)) return fallen;
    Kill kill;
    kill.mark = static_cast<uint64_t>(span * (i + random.Uniform()));
    const Duration restart = StartAndCommit(run, total_rows);
    if (testing::Test::HasFatalFailure()) return fallen;
    if (!fallen.empty()) fallen.back().restart = restart;
    if (run.AwaitPosition(kill.mark, total_rows))
      run.process().Wait(static_cast<Duration>(random.Below(kAfterMark)));
    if (!KillNow(run)) return fallen;
    any_commit = any_commit || Committed(run);
    kill.position = PositionOf(run, total_rows);
    kill.between = any_commit;
    fallen.push_back(kill);
  }
  const Duration restart = StartAndCommit(run, total_rows);
  if (!fallen.empty()) fallen.back().restart = restart;
  EXPECT_EQ(run.Finish(), 0) << run.Printed();
  // Without a commit after them, they fell after the last one.
  if (!Committed(run)) {
    for (Kill& kill : fallen)
      kill.between = false;
  }
  Print(fallen, total_rows);
  return fallen;
}

}  // namespace freshet
