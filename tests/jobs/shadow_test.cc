// Shadow predictions and models that fail, and microbatches of another size, in whole jobs on the embedded
// log.
#include <algorithm>

#include <gtest/gtest.h>

#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

constexpr Time kStart = 1704067200 * kSecond;  // 2024-01-01

JobRecord Row(const std::string& id, int second, const std::string& rest) {
  JobRecord record;
  record.timestamp = kStart + second * kSecond;
  record.key = id;
  record.value = R"({"id": ")" + id + R"(", "at": ")" + FormatTimestamp(record.timestamp) + "\"" + rest + "}";
  return record;
}

std::vector<std::string> ValuesOf(const std::vector<JobRecord>& records) {
  std::vector<std::string> values;
  for (const JobRecord& record : records)
    values.push_back(record.value.value_or(""));
  return values;
}

constexpr std::string_view kShadowed = R"yaml(job: shadowed
shards: 1
sources:
  events:
    event_time: {field: at}
    fields: {id: string, at: timestamp, x: float64, z: float64}
  answers:
    event_time: {field: at}
    fields: {id: string, at: timestamp, good: bool}
operators:
  seen: {type: predict, from: events, model: m, shadow: [s]}
  labelled: {type: label_join, from: seen, labels: answers, key: id, label: good, wait: 1h}
  learnt: {type: train, from: labelled}
  some: {type: filter, from: learnt, where: "x > 1"}
  fewer: {type: derive, from: learnt, drop: [x], fields: {other: s.score}}
models:
  m: {features: {numeric: [x]}, microbatch: 100}
  s: {features: {numeric: [z], missing: error}, microbatch: 2}
sinks:
  seen: {from: seen}
  labelled: {from: labelled}
  learnt: {from: learnt}
  some: {from: some}
  fewer: {from: fewer}
  named: {from: learnt, fields: [id, s.score, s.probability]}
)yaml";

std::vector<JobInput> ShadowedInputs() {
  JobInput events{"events", 1, {}};
  JobInput answers{"answers", 1, {}};
  for (int i = 0; i < 5; ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    events.records.push_back(Row(id, i, i == 1 ? R"(, "x": 1.5)" : R"(, "x": 1.5, "z": 2.5)"));
    answers.records.push_back(Row(id, 10 + i, R"(, "good": true)"));
  }
  return {std::move(events), std::move(answers)};
}

std::pair<JobOutcome, JobResult> RunShadowed() {
  const TempDir dir;
  const SystemClock clock;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  JobFixture job(std::string(kShadowed), Operators(), *log, clock);
  job.Fill(ShadowedInputs());
  JobOutcome outcome = job.Run();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  return {std::move(outcome), job.Read()};
}

TEST(Shadow, IsAbsentFromSinksUnlessNamed) {
  const JobResult result = RunShadowed().second;
  const std::string m = R"("m":{"version":0,"score":0,"probability":0.5})";
  const std::string late =
      R"(,"label":true,"label_time":"2024-01-01T00:00:10Z","prediction_time":"2024-01-01T00:00:00Z",)"
      R"("label_state":"labelled"})";
  const std::string joined = R"({"id":"a","at":"2024-01-01T00:00:00Z","x":1.5,"z":2.5,)" + m + late;
  EXPECT_EQ(ValuesOf(result.sinks.at("seen"))[0],
            R"({"id":"a","at":"2024-01-01T00:00:00Z","x":1.5,"z":2.5,)" + m + "}");
  EXPECT_EQ(ValuesOf(result.sinks.at("labelled"))[0], joined);
  EXPECT_EQ(ValuesOf(result.sinks.at("learnt"))[0], joined);
  EXPECT_EQ(ValuesOf(result.sinks.at("some"))[0], joined);
  EXPECT_EQ(ValuesOf(result.sinks.at("fewer"))[0],  // a column made of one is a column of the author's own
            R"({"id":"a","at":"2024-01-01T00:00:00Z","z":2.5,)" + m + late.substr(0, late.size() - 1) +
                R"(,"other":0})");
  const std::string named = R"(,"s":{"score":0,"probability":0.5}})";
  EXPECT_EQ(ValuesOf(result.sinks.at("named")),
            (std::vector<std::string>{R"({"id":"a")" + named, R"({"id":"b"})", R"({"id":"c")" + named,
                                      R"({"id":"d")" + named, R"({"id":"e")" + named}));
}

TEST(Shadow, ARowItCannotUseIsNoDeadLetter) {
  const auto [outcome, result] = RunShadowed();
  EXPECT_EQ(result.sinks.at("learnt").size(), 5U);
  EXPECT_TRUE(result.dead_letters.empty());
  EXPECT_EQ(outcome.Count("shadow_failures{operator=\"seen\"}"), 1U);
  EXPECT_EQ(outcome.Count("shadow_rows_left_out{operator=\"learnt\"}"), 1U);
  EXPECT_EQ(outcome.Count("rows_refused{operator=\"learnt\"}"), 0U);
  const std::vector<std::string> learnt{"models", "s", "learnt"};
  EXPECT_EQ(std::count(outcome.report.figures.begin(), outcome.report.figures.end(),
                       std::pair<std::vector<std::string>, double>(learnt, 4)),
            1);
}

constexpr std::string_view kLearning = R"yaml(job: resized
sources:
  events:
    event_time: {field: at}
    fields: {id: string, at: timestamp, x: float64, good: bool, kind: string}
operators:
  learnt: {type: train, from: events, models: [m], label: good}
models:
  m: {features: {numeric: [x], categorical: [kind]}, microbatch: 10}
sinks:
  learnt: {from: learnt, key: id}
)yaml";

JobInput LearningInput(int first, int count) {
  JobInput input{"events", 1, {}};
  for (int i = first; i < first + count; ++i) {
    input.records.push_back(Row("e" + std::to_string(i), i,
                                R"(, "x": )" + std::to_string(i * 5 % 7) + R"(, "kind": "k)" +
                                    std::to_string(i % 3) + R"(", "good": )" +
                                    (i % 4 == 1 ? "true" : "false")));
  }
  return input;
}

JobResult RunLearning(const TempDir& dir, const std::string& microbatch) {
  const SystemClock clock;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  JobFixture job(std::string(kLearning), Operators(), *log, clock);
  JobOptions options;
  options.set = {"models.m.microbatch=" + microbatch};
  options.state_directory = dir.File("state");
  const JobOutcome outcome = job.Run(options);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  return job.Read(options.set);
}

TEST(Microbatch, ASmallerOneInTheJobFileLosesAndReordersNothing) {
  const TempDir dir;
  const TempDir whole_dir;
  CreateAndFill(*OpenUnsyncedLog(dir), LearningInput(0, 7));
  EXPECT_TRUE(RunLearning(dir, "10").models["m"].empty());  // none was full
  Append(*OpenUnsyncedLog(dir), "events", LearningInput(7, 5).records);
  JobResult resized = RunLearning(dir, "1");
  CreateAndFill(*OpenUnsyncedLog(whole_dir), LearningInput(0, 12));
  JobResult whole = RunLearning(whole_dir, "1");
  ASSERT_EQ(resized.sinks.at("learnt").size(), 12U);
  for (size_t i = 7; i < 12; ++i)
    EXPECT_EQ(resized.sinks.at("learnt")[i], whole.sinks.at("learnt")[i]) << i;
  resized.sinks.clear();  // the first seven were predicted by version 0
  whole.sinks.clear();
  EXPECT_EQ(Difference(whole, resized), "");
  EXPECT_FALSE(whole.models["m"].empty());
}

}  // namespace
}  // namespace freshet
