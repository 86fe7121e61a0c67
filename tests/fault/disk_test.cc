// A log that can be written no further ends the run with what to do, and keeps what was committed.
#include <gtest/gtest.h>

#include "tests/fault/local_month.h"

namespace freshet {
namespace {

// A file that may grow no further fails like a full disk, and needs no disk of its own.
TEST(FullDisk, UnderTheEmbeddedLogLosesNothingCommitted) {
  LocalMonth month;
  FlightsRun run = month.Begin();
  const std::string& directory = month.directory;
  const std::string job = month.dir.Write("job.yaml", FlightsJobWithFeatures());
  Result<Process> limited =
      Process::Start({.command = {"sh", "-c",
                                  "trap '' XFSZ; ulimit -f 8192; exec " FRESHET_PROGRAM " run " + job +
                                      " --instance kill --until-end --set commit.interval=5ms --local " +
                                      directory + " --state " + directory + "/state"},
                      .output = month.dir.File("printed"),
                      .errors = "",
                      .environment = {}});
  ASSERT_TRUE(limited.ok()) << limited.status().message();
  EXPECT_EQ(limited->Wait(10 * kMinute), 1);
  const std::string printed = ReadFile(month.dir.File("printed"));
  EXPECT_NE(printed.find("may grow no further (ulimit -f); raise the limit"), std::string::npos) << printed;

  run.Start();
  EXPECT_EQ(run.Finish(), 0) << run.Printed();
  const std::optional<FlightsProgress> last = run.Progress();
  ASSERT_TRUE(last);
  EXPECT_GT(last->rows, 0U);
  EXPECT_LT(last->rows, month.rows.total()) << "nothing was committed before the end";
  EXPECT_EQ(Difference(month.expected, ReadLocal(run, directory)), "") << run.Printed() << printed;
}

// Whatever was being written when the last byte was taken: the log while it opens, an epoch, a memtable.
// Every size goes on where the one before it stopped.
TEST(FullDisk, OfAnySizeLosesNothingCommitted) {
  LocalMonth month;
  FlightsRun run = month.Begin();
  int64_t lag_before = INT64_MAX;
  for (const int64_t bytes : {0, 100, 40'000, 1'000'000, 3'000'000, 5'000'001}) {
    run.Start("5ms", {"LD_PRELOAD=" FULL_DISK, "FULL_DISK_AFTER=" + std::to_string(bytes)});
    EXPECT_EQ(run.Finish(), 1) << bytes << "\n" << run.Printed();
    EXPECT_TRUE(run.Said(" is full") && run.Said("make room and start again")) << run.Printed();
    if (bytes < 1'000'000) continue;
    const std::optional<FlightsProgress> last = run.Progress();
    ASSERT_TRUE(last) << bytes << "\n" << run.Printed();
    EXPECT_GT(last->commits, 0U) << bytes;
    EXPECT_LT(last->lag, lag_before) << bytes;
    EXPECT_GT(last->lag, 0) << bytes;
    lag_before = last->lag;
  }
  run.Start();
  EXPECT_EQ(run.Finish(), 0) << run.Printed();
  const FlightsOutcome found = ReadLocal(run, month.directory);
  EXPECT_EQ(Difference(month.expected, found), "") << run.Printed();
  ExpectEachFlightOnce(found, month.rows);
}

}  // namespace
}  // namespace freshet
