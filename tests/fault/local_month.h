#pragma once
// A month of flights in an embedded log, still to be run, and what comes of a run that nothing disturbs.
#include <string>

#include "tests/fault/flights.h"

namespace freshet {

struct LocalMonth {
  FlightRows rows;
  TempDir dir;
  FlightsOutcome expected = UndisturbedFlights(rows, dir.File("undisturbed"));
  std::string directory = dir.File("disturbed");

  FlightsRun Begin() {
    Produce(rows, {"--local", directory});
    return {{"--local", directory}, directory + "/state"};
  }
};

}  // namespace freshet
