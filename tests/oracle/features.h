// The windowed features of every departure, by scanning the rows that stand before it. A window is (t -
// length, t] in event time over those rows; a mean is the sum in the order of rows over their count, and
// nothing when there are none.
#pragma once

#include <optional>
#include <vector>

#include "tests/oracle/rows.h"

namespace oracle {

struct Features {
  double origin_flights_1h = 0;
  std::optional<double> origin_delay_3h, carrier_delay_1h;  // means of dep_delay, minutes
  std::optional<double> dest_delay_3h;  // mean of arr_delay of the arrivals there, minutes
};

struct FeatureOptions {
  bool exclude_ties = false;     // only rows strictly before t count
  bool include_current = false;  // the leak: windows over departures hold the departure itself
};

// One entry a departure of `steps`, in that order.
std::vector<Features> ComputeFeatures(const std::vector<Departure>& departures,
                                      const std::vector<Arrival>& arrivals, const std::vector<Step>& steps,
                                      const FeatureOptions& options);

}  // namespace oracle
