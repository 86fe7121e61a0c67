#include "tests/fault/killing.h"

#include <cinttypes>
#include <cstdio>

#include <gtest/gtest.h>
#include <signal.h>

#include "engine/base/clock.h"

namespace freshet {

namespace {

// The delays let kills fall anywhere in an epoch, its commit too, and anywhere in a recovery.
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
    std::printf("kill %zu: ", i + 1);
    if (kill.starting)
      std::printf("%" PRIu64 " us after its start", kill.mark);
    else
      std::printf("mark %" PRIu64 ", fell at row %" PRIu64 " of %" PRIu64, kill.mark, kill.position, total);
    std::printf(", %s", kill.between ? "between the first and the last commit" : "outside the commits");
    if (kill.restart > 0) std::printf(", committed again %" PRId64 " ms later", kill.restart / kMillisecond);
    std::printf("\n");
  }
  std::fflush(stdout);
}

}  // namespace

std::vector<Kill> KillAgainAndAgain(FlightsRun& run, uint64_t total_rows, int kills, Random& random) {
  const SystemClock clock;
  std::vector<Kill> fallen;
  const auto span = kLastMark * static_cast<double>(total_rows) / kills;
  bool any_commit = false;
  for (int i = 0; i < kills; ++i) {
    run.Start();
    if (testing::Test::HasFatalFailure()) return fallen;
    const Duration started = clock.Steady();
    Kill kill;
    kill.starting = kills > 2 && i == kills / 2;
    if (kill.starting) {
      kill.mark = random.Below(kAfterStart);
      run.process().Wait(static_cast<Duration>(kill.mark));
    } else {
      kill.mark = static_cast<uint64_t>(span * (i + random.Uniform()));
      if (run.AwaitPosition(1, total_rows) && !fallen.empty())
        fallen.back().restart = clock.Steady() - started;
      if (run.AwaitPosition(kill.mark, total_rows))
        run.process().Wait(static_cast<Duration>(random.Below(kAfterMark)));
    }
    run.process().Signal(SIGKILL);
    const int code = run.Finish();
    if (code != 128 + SIGKILL) {
      ADD_FAILURE() << "the kill at mark " << kill.mark << " met a program that had ended with " << code
                    << "\n"
                    << run.Printed();
      return fallen;
    }
    any_commit = any_commit || Committed(run);
    kill.position = PositionOf(run, total_rows);
    kill.between = any_commit;
    fallen.push_back(kill);
  }
  run.Start();
  const Duration started = clock.Steady();
  if (run.AwaitPosition(1, total_rows) && !fallen.empty()) fallen.back().restart = clock.Steady() - started;
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
