#include "tests/fault/flights.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "engine/log/kafka/kafka_log.h"
#include "engine/log/local/local_log.h"
#include "operators/list.h"

namespace freshet {

namespace {

constexpr Duration kLimit = 10 * kMinute;  // of one start; only a hanging program takes so long
constexpr std::string_view kSinks[] = {"predictions", "features", "metrics"};

// The member `name` of the summary's outermost object, as printed.
std::string SectionOf(const std::string& json, const std::string& name) {
  const size_t begin = json.find("\n  \"" + name + "\": {");
  const size_t end = json.find("\n  }", begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  return json.substr(begin, end - begin);
}

std::unique_ptr<Log> OpenBroker(const std::string& brokers) {
  KafkaOptions options;
  options.brokers = brokers;
  Result<std::unique_ptr<Log>> log = OpenKafkaLog(options);
  EXPECT_TRUE(log.ok()) << log.status().message();
  return log.ok() ? std::move(*log) : nullptr;
}

}  // namespace

void Produce(const FlightRows& rows, const std::vector<std::string>& log) {
  for (const std::string stream : {"departures", "arrivals"}) {
    MustRun(FRESHET_PROGRAM " produce flights." + stream + " " + log[0] + " " + log[1] +
            " --key flight_id --partitions 1 < " + rows.File(stream));
  }
}

std::string Difference(const FlightsOutcome& expected, const FlightsOutcome& found) {
  if (!(expected.committed == found.committed)) {
    const std::string text = Difference(expected.committed, found.committed);
    return text.empty() ? "something was committed that the undisturbed run has not" : text;
  }
  if (expected.models != found.models) return "models:" + expected.models + "\nbut" + found.models;
  if (expected.baselines != found.baselines)
    return "baselines:" + expected.baselines + "\nbut" + found.baselines;
  return "";
}

FlightsRun::FlightsRun(std::vector<std::string> log, std::string state, std::string suffix)
    : job_(dir_.Write("job.yaml", FlightsJobWithFeatures())),
      log_(std::move(log)),
      state_(std::move(state)),
      suffix_(std::move(suffix)) {
  if (suffix_.empty()) return;
  settings_ = {"prefix=run" + suffix_};
  for (const std::string_view sink : kSinks) {
    const std::string name(sink);
    settings_.push_back("sinks." + name + ".topic=flights." + name + suffix_);
  }
}

void FlightsRun::Start(const std::string& commit_interval, const std::vector<std::string>& environment) {
  std::vector<std::string> command = {FRESHET_PROGRAM, "run", job_};
  command.insert(command.end(), log_.begin(), log_.end());
  for (const std::string& argument :
       {std::string("--state"), state_, std::string("--instance"), std::string("kill"),
        std::string("--until-end"), std::string("--progress-every"), std::string("1ms"),
        std::string("--summary"), dir_.File("summary.json")})
    command.push_back(argument);
  std::vector<std::string> settings = settings_;
  if (!commit_interval.empty()) settings.push_back("commit.interval=" + commit_interval);
  for (const std::string& setting : settings) {
    command.emplace_back("--set");
    command.push_back(setting);
  }
  ++starts_;
  read_ = 0;
  latest_.reset();
  process_.reset();
  Result<Process> process = Process::Start({.command = command,
                                            .output = dir_.File(std::to_string(starts_)),
                                            .errors = "",
                                            .environment = environment});
  ASSERT_TRUE(process.ok()) << process.status().message();
  process_ = std::move(*process);
}

std::optional<FlightsProgress> FlightsRun::Progress() {
  std::ifstream file(dir_.File(std::to_string(starts_)));
  file.seekg(static_cast<std::streamoff>(read_));
  for (std::string line; std::getline(file, line) && !file.eof();) {
    read_ += line.size() + 1;
    FlightsProgress progress;
    if (std::sscanf(line.c_str(), "rows %" SCNu64 " commits %" SCNu64 " rate %*u/s lag %" SCNd64,
                    &progress.rows, &progress.commits, &progress.lag) == 3)
      latest_ = progress;
  }
  return latest_;
}

bool FlightsRun::AwaitPosition(uint64_t rows, uint64_t total) {
  while (!process_->Wait(kMillisecond)) {
    const std::optional<FlightsProgress> progress = Progress();
    if (progress && progress->commits > 0 && total - static_cast<uint64_t>(progress->lag) >= rows)
      return true;
  }
  return false;
}

int FlightsRun::Finish() {
  const std::optional<int> code = process_->Wait(kLimit);
  Progress();
  return code.value_or(-1);
}

std::string FlightsRun::Printed() const {
  std::string text;
  for (int start = 1; start <= starts_; ++start) {
    const std::string printed = ReadFile(dir_.File(std::to_string(start)));
    text += "start " + std::to_string(start) + ": …" +
            printed.substr(printed.size() - std::min<size_t>(printed.size(), 1000)) + "\n";
  }
  return text;
}

bool FlightsRun::Said(const std::string& text) const {
  return ReadFile(dir_.File(std::to_string(starts_))).find(text) != std::string::npos;
}

FlightsOutcome FlightsRun::Read(Log& log) const {
  const SystemClock clock;
  FlightsOutcome outcome;
  JobResult read = JobFixture(FlightsJobWithFeatures(), Operators(), log, clock).Read(settings_);
  outcome.committed = read;
  outcome.committed.sinks.clear();
  for (auto& [topic, records] : read.sinks)
    outcome.committed.sinks[topic.substr(0, topic.size() - suffix_.size())] = std::move(records);
  const std::string summary = ReadFile(dir_.File("summary.json"));
  outcome.models = SectionOf(summary, "models");
  outcome.baselines = SectionOf(summary, "baselines");
  EXPECT_NE(outcome.models, "") << summary;
  EXPECT_NE(outcome.baselines, "") << summary;
  return outcome;
}

FlightsOutcome ReadLocal(const FlightsRun& run, const std::string& directory) {
  LocalLogOptions options;
  options.read_only = true;
  Result<std::unique_ptr<Log>> log = OpenLocalLog(directory + "/log", options);
  EXPECT_TRUE(log.ok()) << log.status().message();
  return log.ok() ? run.Read(**log) : FlightsOutcome();
}

FlightsOutcome ReadKafka(const FlightsRun& run, const std::string& brokers) {
  const std::unique_ptr<Log> log = OpenBroker(brokers);
  return log == nullptr ? FlightsOutcome() : run.Read(*log);
}

void CreateSinks(const std::string& brokers, const std::string& suffix) {
  const std::unique_ptr<Log> log = OpenBroker(brokers);
  ASSERT_NE(log, nullptr);
  for (const std::string_view sink : kSinks) {
    TopicSettings settings;
    settings.retention = kMaxTime;
    const Status created = log->Create("flights." + std::string(sink) + suffix, settings);
    ASSERT_TRUE(created.ok()) << created.message();
  }
}

FlightsOutcome UndisturbedFlights(const FlightRows& rows, const std::string& directory) {
  Produce(rows, {"--local", directory});
  FlightsRun run({"--local", directory}, directory + "/state");
  run.Start("");
  EXPECT_EQ(run.Finish(), 0) << run.Printed();
  FlightsOutcome outcome = ReadLocal(run, directory);
  ExpectEachFlightOnce(outcome, rows);
  return outcome;
}

void ExpectEachFlightOnce(const FlightsOutcome& outcome, const FlightRows& rows) {
  for (const std::string sink : {"flights.predictions", "flights.features"}) {
    const auto found = outcome.committed.sinks.find(sink);
    ASSERT_NE(found, outcome.committed.sinks.end()) << sink;
    std::set<std::string> flights;
    for (const JobRecord& record : found->second)
      flights.insert(record.key.value_or(""));
    EXPECT_EQ(found->second.size(), rows.departures()) << sink;
    EXPECT_EQ(flights.size(), rows.departures()) << sink;
  }
}

}  // namespace freshet
