// A broker that dies and comes back in the middle of a run costs time, nothing else.
#include <gtest/gtest.h>

#include "engine/log/kafka/kafka_log.h"
#include "tests/fault/broker_month.h"

namespace freshet {
namespace {

class Brokers : public BrokerMonth {
 protected:
  void SetUp() override {
    BrokerMonth::SetUp();
    if (!HasFatalFailure()) CreateSinks(bootstrap(), "");
  }
};

TEST_F(Brokers, OneThatIsKilledInTheMiddleChangesNothing) {
  FlightsRun run(flags, dir.File("state"));
  run.Start("50ms");
  for (const uint64_t third : {1, 2}) {
    ASSERT_TRUE(run.AwaitPosition(third * rows.total() / 3, rows.total())) << run.Printed();
    broker->Kill();
    const std::optional<FlightsProgress> at_death = run.Progress();
    ASSERT_TRUE(at_death && at_death->lag > 0) << run.Printed();
    const Status back = broker->Start();
    ASSERT_TRUE(back.ok()) << back.message() << broker->Log();
  }
  EXPECT_EQ(run.Finish(), 0) << run.Printed() << broker->Log();
  ExpectNothingChanged(run);
}

// As it happens to one whose answers are lost: the group takes it for its own successor.
TEST_F(Brokers, AMemberThatIsThrownOutJoinsAnew) {
  FlightsRun run(flags, dir.File("state"));
  run.Start("50ms");
  ASSERT_TRUE(run.AwaitPosition(rows.total() / 3, rows.total())) << run.Printed();
  {
    KafkaOptions options;
    options.brokers = bootstrap();
    Result<std::unique_ptr<Log>> log = OpenKafkaLog(options);
    ASSERT_TRUE(log.ok()) << log.status().message();
    ConsumerOptions same;
    same.group = "flight-delays";
    same.instance = "flight-delays-kill-0";
    Result<std::unique_ptr<Consumer>> successor = (*log)->OpenConsumer(same);
    ASSERT_TRUE(successor.ok() && (*successor)->Join("flight-delays.placement").ok());
    bool assigned = false;
    for (int i = 0; i < 600 && !assigned; ++i) {
      const Result<GroupChange> change = (*successor)->Poll(100 * kMillisecond);
      if (!change.ok()) break;  // the run has taken its place again
      assigned = !change->assigned.empty();
    }
  }
  EXPECT_EQ(run.Finish(), 0) << run.Printed() << broker->Log();
  EXPECT_TRUE(run.Said("joining the group anew"));
  ExpectNothingChanged(run);
}

}  // namespace
}  // namespace freshet
