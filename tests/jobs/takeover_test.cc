// A process that takes a job over from another that died, under a name of its own: what that one left open is
// not aborted by its successor's start, but by the broker, when its time is over.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

JobOutcome RunAs(const std::string& instance, Log& log, const Clock& clock) {
  JobOptions options;
  options.instance = instance;
  options.set = {"commit.interval=1m"};
  return JobFixture(std::string(CountingJob()), Operators(), log, clock).Run(options);
}

TEST(Takeover, WaitsUntilTheBrokerAbortsWhatWasLeftOpen) {
  SimulatedBroker broker(1);
  {
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    CreateAndFill(*log, {"events", 1, std::vector<JobRecord>(3, CountingRow("a"))});
    broker.set_at_commit([&](bool) { broker.Crash(); });  // all is written, and nothing committed
    EXPECT_FALSE(RunAs("one", *log, broker.clock()).status.ok());
  }
  broker.set_at_commit(nullptr);
  const Time begin = broker.clock().Now();
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  const JobOutcome outcome = RunAs("two", *log, broker.clock());
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_GE(broker.clock().Now() - begin, 4 * kMinute);  // five commits' time, less what it took to find out
  EXPECT_EQ(ReadTopic(*log, "out").size(), 3U);
}

}  // namespace
}  // namespace freshet
