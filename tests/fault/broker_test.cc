// A broker that dies and comes back in the middle of a run costs time, nothing else.
#include <gtest/gtest.h>

#include "engine/log/kafka/kafka_log.h"
#include "tests/fault/flights.h"
#include "tests/harness/kafka_broker.h"

namespace freshet {
namespace {

// The month on a broker of its own, and what an undisturbed run makes of it.
class Brokers : public testing::Test {
 protected:
  void SetUp() override {
    expected = UndisturbedFlights(rows, dir.File("undisturbed"));
    broker = KafkaBroker::Create();
    ASSERT_TRUE(broker.ok()) << broker.status().message();
    flags = {"--brokers", (*broker)->bootstrap()};
    Produce(rows, flags);
    CreateSinks((*broker)->bootstrap(), "");
  }
  const FlightRows rows;
  const TempDir dir;
  FlightsOutcome expected;
  Result<std::unique_ptr<KafkaBroker>> broker = std::unique_ptr<KafkaBroker>();
  std::vector<std::string> flags;
};

TEST_F(Brokers, OneThatIsKilledInTheMiddleChangesNothing) {
  FlightsRun run(flags, dir.File("state"));
  run.Start("50ms");
  for (const uint64_t third : {1, 2}) {
    ASSERT_TRUE(run.AwaitPosition(third * rows.total() / 3, rows.total())) << run.Printed();
    (*broker)->Kill();
    const std::optional<FlightsProgress> at_death = run.Progress();
    ASSERT_TRUE(at_death && at_death->lag > 0) << run.Printed();
    const Status back = (*broker)->Start();
    ASSERT_TRUE(back.ok()) << back.message() << (*broker)->Log();
  }
  EXPECT_EQ(run.Finish(), 0) << run.Printed() << (*broker)->Log();
  const FlightsOutcome found = ReadKafka(run, (*broker)->bootstrap());
  EXPECT_EQ(Difference(expected, found), "") << run.Printed();
  ExpectEachFlightOnce(found, rows);
}

// As it happens to one whose answers are lost: the group takes it for its own successor.
TEST_F(Brokers, AMemberThatIsThrownOutJoinsAnew) {
  FlightsRun run(flags, dir.File("state"));
  run.Start("50ms");
  ASSERT_TRUE(run.AwaitPosition(rows.total() / 3, rows.total())) << run.Printed();
  {
    KafkaOptions options;
    options.brokers = (*broker)->bootstrap();
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
  EXPECT_EQ(run.Finish(), 0) << run.Printed() << (*broker)->Log();
  EXPECT_TRUE(run.Said("joining the group anew"));
  const FlightsOutcome found = ReadKafka(run, (*broker)->bootstrap());
  EXPECT_EQ(Difference(expected, found), "") << run.Printed();
  ExpectEachFlightOnce(found, rows);
}

}  // namespace
}  // namespace freshet
