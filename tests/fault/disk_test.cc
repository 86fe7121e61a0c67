// A log that can be written no further ends the run with what to do, and keeps what was committed.
#include <gtest/gtest.h>

#include "tests/fault/flights.h"

namespace freshet {
namespace {

// A file that may grow no further fails like a full disk, and needs no disk of its own.
TEST(FullDisk, UnderTheEmbeddedLogLosesNothingCommitted) {
  const FlightRows rows;
  const TempDir dir;
  const FlightsOutcome expected = UndisturbedFlights(rows, dir.File("undisturbed"));
  const std::string directory = dir.File("full");
  Produce(rows, {"--local", directory});
  Result<Process> limited = Process::Start(
      {.command = {"sh", "-c",
                   "trap '' XFSZ; ulimit -f 8192; exec " FRESHET_PROGRAM " run " FRESHET_ROOT
                   "/jobs/flight-delays/job.yaml --instance kill --until-end --set commit.interval=5ms "
                   "--local " +
                       directory + " --state " + directory + "/state"},
       .output = dir.File("printed"),
       .errors = "",
       .environment = {}});
  ASSERT_TRUE(limited.ok()) << limited.status().message();
  EXPECT_EQ(limited->Wait(10 * kMinute), 1);
  const std::string printed = ReadFile(dir.File("printed"));
  EXPECT_NE(printed.find("may grow no further (ulimit -f); raise the limit"), std::string::npos) << printed;

  FlightsRun run({"--local", directory}, directory + "/state");
  run.Start();
  EXPECT_EQ(run.Finish(), 0) << run.Printed();
  const std::optional<FlightsProgress> last = run.Progress();
  ASSERT_TRUE(last);
  EXPECT_GT(last->rows, 0U);
  EXPECT_LT(last->rows, rows.total()) << "nothing was committed before the end";
  EXPECT_EQ(Difference(expected, ReadLocal(run, directory)), "") << run.Printed() << printed;
}

}  // namespace
}  // namespace freshet
