#pragma once
// A month of flights on a broker of its own, and what an undisturbed run makes of it. One thread, the main
// one.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fault/flights.h"
#include "tests/harness/kafka_broker.h"

namespace freshet {

class BrokerMonth : public testing::Test {
 protected:
  void SetUp() override;
  std::string bootstrap() const { return broker->bootstrap(); }
  // The run committed what the undisturbed one did.
  void ExpectNothingChanged(const FlightsRun& run) const;

  const FlightRows rows;
  const TempDir dir;
  FlightsOutcome expected;
  std::unique_ptr<KafkaBroker> broker;
  std::vector<std::string> flags;  // that say where it is
};

}  // namespace freshet
