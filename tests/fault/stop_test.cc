// SIGTERM ends a run in order; a second signal ends it at once. Either way a later run finishes the work.
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fault/local_month.h"

namespace freshet {
namespace {

constexpr int kFailedExit = 1;

struct Stopping : LocalMonth {
  void ExpectAnotherStartFinishes(FlightsRun& run) {
    run.Start();
    EXPECT_EQ(run.Finish(), 0) << run.Printed();
    const std::optional<FlightsProgress> last = run.Progress();
    EXPECT_TRUE(last && last->rows > 0 && last->lag == 0) << run.Printed();
    EXPECT_EQ(Difference(expected, ReadLocal(run, directory)), "") << run.Printed();
  }
};

TEST(Stops, OneSignalCommitsAndExitsWithZero) {
  Stopping stopping;
  FlightsRun run = stopping.Begin();
  const uint64_t total = stopping.rows.total();
  run.Start();
  ASSERT_TRUE(run.AwaitPosition(total / 3, total)) << run.Printed();
  run.process().Signal(SIGTERM);
  EXPECT_EQ(run.Finish(), 0) << run.Printed();
  const std::optional<FlightsProgress> last = run.Progress();
  ASSERT_TRUE(last);
  EXPECT_GT(last->lag, 0) << "it had ended before the signal came";
  // What it took was committed: the next start takes up just the rest.
  const uint64_t first_rows = last->rows;
  stopping.ExpectAnotherStartFinishes(run);
  EXPECT_EQ(first_rows + run.Progress()->rows, total);
}

TEST(Stops, ASecondSignalLeavesAtOnce) {
  Stopping stopping;
  FlightsRun run = stopping.Begin();
  const uint64_t total = stopping.rows.total();
  run.Start();
  ASSERT_TRUE(run.AwaitPosition(total / 3, total)) << run.Printed();
  // Stopped, it cannot finish in order between the two; two equal signals would be told once.
  run.process().Signal(SIGSTOP);
  run.process().Signal(SIGTERM);
  run.process().Signal(SIGINT);
  run.process().Signal(SIGCONT);
  EXPECT_EQ(run.Finish(), kFailedExit) << run.Printed();
  stopping.ExpectAnotherStartFinishes(run);
}

// One that follows a topic beside the job ends in order too: what it printed is whole, and nothing stays
// behind.
TEST(Stops, AFollowerEndsWithZeroAndLeavesNothingBehind) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const TempDir dir;
    std::filesystem::create_directory(dir.File("tmp"));
    MustRun("printf '{\"a\": 1}\\n{\"a\": 2}\\n' | " FRESHET_PROGRAM " produce clicks --local " +
            dir.File("data"));
    Result<Process> follower = Process::Start(
        {.command = {FRESHET_PROGRAM, "consume", "clicks", "--local", dir.File("data"), "--from-beginning"},
         .output = dir.File("printed"),
         .errors = dir.File("said"),
         .environment = {"TMPDIR=" + dir.File("tmp")}});
    ASSERT_TRUE(follower.ok()) << follower.status().message();
    const std::string all = "{\"a\": 1}\n{\"a\": 2}\n";
    while (ReadFile(dir.File("printed")) != all)
      ASSERT_FALSE(follower->Wait(kMillisecond)) << ReadFile(dir.File("said"));
    follower->Signal(signal);
    EXPECT_EQ(follower->Wait(kMinute), 0) << ReadFile(dir.File("said"));
    EXPECT_EQ(ReadFile(dir.File("printed")), all);
    EXPECT_EQ(ReadFile(dir.File("said")), "");
    EXPECT_TRUE(std::filesystem::is_empty(dir.File("tmp")));
  }
}

// What its reader got is not whole then, and nobody may take it for that.
TEST(Stops, AFollowerWhoseReaderSleepsSaysWhatItTore) {
  const TempDir dir;
  const std::string pipe = dir.File("pipe");
  MustRun("seq 1 30000 | sed 's/.*/{\"a\": &}/' | " FRESHET_PROGRAM " produce clicks --local " +
          dir.File("data"));
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int sleeper = open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  Result<Process> follower = Process::Start(
      {.command = {FRESHET_PROGRAM, "consume", "clicks", "--local", dir.File("data"), "--from-beginning"},
       .output = pipe,
       .errors = dir.File("said"),
       .environment = {}});
  ASSERT_TRUE(follower.ok()) << follower.status().message();
  const int full = fcntl(sleeper, F_GETPIPE_SZ);
  int waiting = 0;
  while (waiting < full) {
    ASSERT_FALSE(follower->Wait(kMillisecond)) << ReadFile(dir.File("said"));
    ASSERT_EQ(ioctl(sleeper, FIONREAD, &waiting), 0);
  }
  follower->Signal(SIGTERM);
  EXPECT_EQ(follower->Wait(kMinute), kFailedExit);
  EXPECT_NE(ReadFile(dir.File("said")).find("the last line it was given is not whole"), std::string::npos)
      << ReadFile(dir.File("said"));
  close(sleeper);
}

}  // namespace
}  // namespace freshet
