// Every operator of the list runs the example in its definition, through the whole engine: whatever the
// batches, and whether the process stops after each row and another goes on.
#include <sstream>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/operators/json_rows.h"

namespace freshet {
namespace {

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string Indented(std::string_view text) {
  std::string out;
  for (const std::string_view line : Lines(text))
    out += "  " + std::string(line) + "\n";
  return out;
}

// The name of the last operator of the map: its rows are what the example shows.
std::string LastOperator(std::string_view operators) {
  std::string last;
  for (const std::string_view line : Lines(operators)) {
    if (line[0] != ' ' && line[0] != '#') last = line.substr(0, line.find(':'));
  }
  return last;
}

std::string JobOf(const Definition& definition) {
  const Example& example = definition.example;
  std::string yaml = R"(job: example
sources:
  events:
    event_time: {field: t}
    fields: {id: string, key: string, t: timestamp, x: float64, "n": int64, s: string}
  labels:
    event_time: {field: t}
    fields: {id: string, key: string, t: timestamp, "y": float64}
operators:
)" + Indented(example.operators);
  if (!example.models.empty()) yaml += "models:\n" + Indented(example.models);
  return yaml + "sinks:\n  out: {from: " + LastOperator(example.operators) + "}\n";
}

std::vector<JobInput> InputsOf(const Definition& definition) {
  JobInput events{"events", 1, {}};
  JobInput labels{"labels", 1, {}};
  for (const std::string_view line : Lines(definition.example.in)) {
    const bool event = line.starts_with("events ");
    EXPECT_TRUE(event || line.starts_with("labels ")) << line;
    JobRecord record;
    record.timestamp = SimulatedBroker::kStart;
    record.value = std::string(line.substr(line.find(' ') + 1));
    (event ? events : labels).records.push_back(std::move(record));
  }
  return {std::move(events), std::move(labels)};
}

class Operators : public testing::TestWithParam<size_t> {
 protected:
  const Definition& definition() const { return freshet::Operators().operators[GetParam()]; }
};

void ExpectExample(const Definition& definition, JobFixture& job) {
  const JobResult result = job.Read();
  EXPECT_TRUE(result.dead_letters.empty());
  std::vector<std::string> found;
  for (const JobRecord& record : result.sinks.at("out"))
    found.push_back(record.value.value_or(""));
  const std::vector<std::string_view> expected = Lines(definition.example.out);
  ASSERT_EQ(found.size(), expected.size()) << testing::PrintToString(found);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(PlainJson(found[i]), PlainJson(expected[i])) << "row " << i;
}

TEST_P(Operators, GivesWhatItsExampleSaysInBatchesOfAnySize) {
  for (const size_t most_rows : {1, 7, 4096}) {
    SCOPED_TRACE("batches of " + std::to_string(most_rows));
    SimulatedBroker broker(1);
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    JobFixture job(JobOf(definition()), freshet::Operators(), *log, broker.clock());
    job.Fill(InputsOf(definition()));
    JobOptions options;
    options.most_rows = most_rows;
    const JobOutcome outcome = job.Run(options);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
    ExpectExample(definition(), job);
  }
}

TEST_P(Operators, GivesTheSameWhereEachRowIsFollowedByARestart) {
  SimulatedBroker broker(1);
  {
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    for (const JobInput& input : InputsOf(definition()))
      CreateAndFill(*log, input);
  }
  JobOutcome outcome;
  int lives = 0;
  bool ended = false;
  while (!ended && ++lives < 100) {
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    JobFixture job(JobOf(definition()), freshet::Operators(), *log, broker.clock());
    StopSignal stop;
    JobOptions options;
    options.most_rows = 1;
    options.stop = &stop;
    options.commit_now = [](uint64_t) { return true; };
    ended = true;
    options.progress = [&](const LaneProgress& progress) {
      if (progress.commits == 0) return;
      stop.Request();
      ended = false;
    };
    outcome = job.Run(options);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  }
  EXPECT_TRUE(ended);
  EXPECT_GT(lives, static_cast<int>(Lines(definition().example.in).size()) / 2);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  JobFixture job(JobOf(definition()), freshet::Operators(), *log, broker.clock());
  ExpectExample(definition(), job);
}

std::vector<size_t> All() {
  std::vector<size_t> all(freshet::Operators().operators.size());
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = i;
  return all;
}

INSTANTIATE_TEST_SUITE_P(List, Operators, testing::ValuesIn(All()),
                         [](const testing::TestParamInfo<size_t>& one) {
                           return std::string(freshet::Operators().operators[one.param].type);
                         });

}  // namespace
}  // namespace freshet
