#pragma once
// The rows of one month of flights as files and as job inputs, unpacked once from the shipped job's data. One
// thread, the main one (see process.h).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/job_fixture.h"
#include "tests/harness/temp_dir.h"

namespace freshet {

class FlightRows {
 public:
  explicit FlightRows(int month = 2);
  uint64_t departures() const { return departures_; }
  uint64_t total() const { return departures_ + arrivals_; }
  // The rows of `departures` or `arrivals`, one JSON object a line.
  std::string File(const std::string& stream) const { return dir_.File(stream); }
  // For both sources' topics, of one partition each.
  std::vector<JobInput> Inputs() const;

 private:
  TempDir dir_;
  uint64_t departures_ = 0;
  uint64_t arrivals_ = 0;
};

// The job that ships, as text.
std::string FlightsJob();
// With one sink more, flights.features: what its models are given of the windows.
std::string FlightsJobWithFeatures();

// Runs a shell script; one that fails is a failure of the running test.
void MustRun(const std::string& script);

}  // namespace freshet
