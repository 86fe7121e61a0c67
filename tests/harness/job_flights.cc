#include "tests/harness/job_flights.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/harness/process.h"

namespace freshet {

namespace {

constexpr Duration kLimit = 10 * kMinute;  // only a hanging script takes so long
constexpr std::string_view kFolder = FRESHET_ROOT "/jobs/flight-delays/";

uint64_t LinesOf(const std::string& path) {
  const std::string text = ReadFile(path);
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// The text of a member that is a text, as producers give it: `"name":"text"`.
std::string TextOf(const std::string& line, const std::string& name) {
  const std::string before = "\"" + name + "\":\"";
  const size_t begin = line.find(before);
  EXPECT_NE(begin, std::string::npos) << line;
  if (begin == std::string::npos) return "";
  return line.substr(begin + before.size(), line.find('"', begin + before.size()) - begin - before.size());
}

}  // namespace

void MustRun(const std::string& script) {
  const TempDir dir;
  Result<Process> process = Process::Start(
      {.command = {"sh", "-c", script}, .output = dir.File("out"), .errors = "", .environment = {}});
  ASSERT_TRUE(process.ok()) << process.status().message();
  ASSERT_EQ(process->Wait(kLimit), 0) << script << "\n" << ReadFile(dir.File("out"));
}

FlightRows::FlightRows(int month) {
  for (const std::string stream : {"departures", "arrivals"}) {
    MustRun(std::string(kFolder) + "rows " + stream + " --month " + std::to_string(month) + " > " +
            File(stream));
  }
  departures_ = LinesOf(File("departures"));
  arrivals_ = LinesOf(File("arrivals"));
}

std::vector<JobInput> FlightRows::Inputs() const {
  std::vector<JobInput> inputs;
  for (const std::string stream : {"departures", "arrivals"}) {
    JobInput input{"flights." + stream, 1, {}};
    std::istringstream lines(ReadFile(File(stream)));
    for (std::string line; std::getline(lines, line);)
      input.records.push_back({0, 0, TextOf(line, "flight_id"), line, {}});
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::string FlightsJob() {
  return ReadFile(std::string(kFolder) + "job.yaml");
}

std::string FlightsJobWithFeatures() {
  std::string text = FlightsJob();
  const std::string sinks = "\nsinks:\n";
  const size_t at = text.find(sinks);
  EXPECT_NE(at, std::string::npos) << text;
  if (at == std::string::npos) return text;
  return text.insert(at + sinks.size(),
                     "  features: {topic: flights.features, from: inputs, key: flight_id,\n"
                     "             fields: [flight_id, origin_flights_1h, origin_delay_3h, carrier_delay_1h, "
                     "dest_delay_3h]}\n");
}

}  // namespace freshet
