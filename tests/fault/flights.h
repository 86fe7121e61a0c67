#pragma once
// February of the flights, run by the `freshet` program as a child process that tests may kill, on any log;
// the job writes its features to a topic too.
// One thread, the main one (see process.h).
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log/log.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_flights.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_dir.h"

namespace freshet {

// Sends the rows to both sources' topics, of one partition each. `log`: the flags that say where.
void Produce(const FlightRows& rows, const std::vector<std::string>& log);

// What a finished run leaves behind, equal for equal runs.
struct FlightsOutcome {
  JobResult committed;  // outputs, models and state; sinks under their own topics' names
  std::string models;   // the summary's figures, as it prints them
  std::string baselines;
};
// Empty where they are the same.
std::string Difference(const FlightsOutcome& expected, const FlightsOutcome& found);

struct FlightsProgress {
  uint64_t rows = 0;  // of this start of the program
  uint64_t commits = 0;
  int64_t lag = 0;
};

// One run of the job over the month, through as many starts of the program as it takes.
class FlightsRun {
 public:
  // `log`: as for Produce. `state`: its directory. `suffix`: appended to the names of the job's
  // own topics, so that runs share the sources' topics on one broker.
  FlightsRun(std::vector<std::string> log, std::string state, std::string suffix = "");

  // `environment`: NAME=value, added to ours.
  void Start(const std::string& commit_interval = "5ms", const std::vector<std::string>& environment = {});
  Process& process() { return *process_; }
  // The latest progress that this start has told; nothing before the first.
  std::optional<FlightsProgress> Progress();
  // Waits until `rows` of `total` are behind it and this start has committed; whether it lived to see that.
  bool AwaitPosition(uint64_t rows, uint64_t total);
  // Waits for the end; the exit code.
  int Finish();
  // What all starts have printed, its last part.
  std::string Printed() const;
  // Whether the current start has printed `text`.
  bool Said(const std::string& text) const;

  // The log must be open to readers.
  FlightsOutcome Read(Log& log) const;
  const std::vector<std::string>& settings() const { return settings_; }

 private:
  TempDir dir_;
  std::string job_;  // its file
  std::vector<std::string> log_;
  std::string state_;
  std::string suffix_;
  std::vector<std::string> settings_;  // --set
  int starts_ = 0;
  size_t read_ = 0;  // bytes of the current output already looked at
  std::optional<FlightsProgress> latest_;
  std::optional<Process> process_;
};

// Of the embedded log in `directory`, undisturbed, in epochs of the job's own length.
FlightsOutcome UndisturbedFlights(const FlightRows& rows, const std::string& directory);
FlightsOutcome ReadLocal(const FlightsRun& run, const std::string& directory);
FlightsOutcome ReadKafka(const FlightsRun& run, const std::string& brokers);
// The topics of the job's sinks, named with `suffix`, that keep their records for ever: they bear event times
// of 2013, older than a broker's usual retention.
void CreateSinks(const std::string& brokers, const std::string& suffix);
// Each departure has exactly one prediction, and its features stand there once.
void ExpectEachFlightOnce(const FlightsOutcome& outcome, const FlightRows& rows);

}  // namespace freshet
