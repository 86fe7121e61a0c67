// February of the flights: where rows and epochs are cut, on how many shards and on which log, never shows in
// predictions, metrics, weights or state. (On Kafka: tests/fault.)
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_flights.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

struct Way {
  size_t most_rows = 4096;
  int shards = 8;
  double commit_chance = 0;  // after each batch
};

class February : public testing::Test {
 public:
  static void SetUpTestSuite() {
    const FlightRows rows;
    inputs_ = rows.Inputs();
    expected_ = OnTheEmbeddedLog({});
    const auto predictions = expected_.sinks.find("flights.predictions");
    ASSERT_NE(predictions, expected_.sinks.end());
    EXPECT_EQ(predictions->second.size(), rows.departures());
    EXPECT_EQ(expected_.models.size(), 2U);
  }
  static void TearDownTestSuite() {
    inputs_.clear();
    expected_ = {};
  }
  static JobResult Run(Log& log, const Clock& clock, const Way& way) {
    JobFixture job(FlightsJob(), Operators(), log, clock);
    job.Fill(inputs_);
    Random random(17);
    JobOptions options;
    options.most_rows = way.most_rows;
    options.set = {"shards=" + std::to_string(way.shards)};
    options.commit_now = [&](uint64_t) { return random.Chance(way.commit_chance); };
    const JobOutcome outcome = job.Run(options);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    return job.Read(options.set);
  }
  static JobResult OnTheEmbeddedLog(const Way& way) {
    const TempDir dir;
    const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
    const SystemClock clock;
    return Run(*log, clock, way);
  }
  static void ExpectNoDifference(const JobResult& found) { EXPECT_EQ(Difference(expected_, found), ""); }

 private:
  static inline std::vector<JobInput> inputs_;
  static inline JobResult expected_;
};

TEST_F(February, InBatchesOfOneRow) {
  ExpectNoDifference(OnTheEmbeddedLog({1, 8, 0}));
}

TEST_F(February, InBatchesOfSevenRowsOnOneShard) {
  ExpectNoDifference(OnTheEmbeddedLog({7, 1, 0}));
}

TEST_F(February, InEpochsCutAtRandom) {
  ExpectNoDifference(OnTheEmbeddedLog({4096, 3, 0.01}));
}

// Its fetches come late, so that watermarks rise at other calls, and what is known of the end is other.
TEST_F(February, OnTheSimulatedLog) {
  SimulatedBroker broker(5);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  broker.set_faults({0.2, 0, 0, 0});
  ExpectNoDifference(Run(*log, broker.clock(), {4096, 8, 0.005}));
}

}  // namespace
}  // namespace freshet
