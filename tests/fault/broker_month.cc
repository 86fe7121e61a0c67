#include "tests/fault/broker_month.h"

#include <utility>

namespace freshet {

void BrokerMonth::SetUp() {
  expected = UndisturbedFlights(rows, dir.File("undisturbed"));
  Result<std::unique_ptr<KafkaBroker>> started = KafkaBroker::Create();
  ASSERT_TRUE(started.ok()) << started.status().message();
  broker = std::move(*started);
  flags = {"--brokers", bootstrap()};
  Produce(rows, flags);
}

void BrokerMonth::ExpectNothingChanged(const FlightsRun& run) const {
  const FlightsOutcome found = ReadKafka(run, bootstrap());
  EXPECT_EQ(Difference(expected, found), "") << run.Printed() << broker->Log();
  ExpectEachFlightOnce(found, rows);
}

}  // namespace freshet
