// The flights as plain rows, read from uncompressed CSV or NDJSON, and the order in which they are worked
// through. Part of the oracle: an independent plain program that shares no code with the engine and prefers
// the obvious to the fast.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace oracle {

using Seconds = int64_t;  // since 1970, UTC

struct Departure {
  Seconds time = 0;
  std::string flight_id, carrier, origin, dest, sched_hour;
  double distance = 0, dep_delay = 0;
};

struct Arrival {
  Seconds time = 0;
  std::string flight_id, dest;
  double arr_delay = 0;
};

struct Step {
  bool is_departure = false;
  size_t index = 0;  // position in its file, from 0
};

// These end the program with a message when a file cannot be read: an oracle that goes on with less would
// agree with less.
std::vector<Departure> ReadDepartures(const std::string& path);
std::vector<Arrival> ReadArrivals(const std::string& path);

// By event time; departures before arrivals of the same moment; ties by position in the file.
std::vector<Step> OrderByTime(const std::vector<Departure>& departures, const std::vector<Arrival>& arrivals);

// One line a row, `d <index>` or `a <index>`. Rows left out are rows that never came; none may come twice.
std::vector<Step> ReadOrder(const std::string& path, size_t departures, size_t arrivals);

// The UTC month of a moment as "2013-02".
std::string MonthOf(Seconds time);

[[noreturn]] void Fail(const std::string& message);

}  // namespace oracle
