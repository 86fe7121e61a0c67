// Timers that fall due all at once, in whole jobs on the embedded log.
#include <string>

#include <gtest/gtest.h>

#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

constexpr std::string_view kJob = R"yaml(job: storm
commit: {interval: 1h, max_bytes: 200KiB}
sources:
  asked: {event_time: {field: t}, fields: {id: string, t: timestamp, text: string}}
  told: {event_time: {field: t}, fields: {id: string, t: timestamp, good: bool}}
operators:
  labelled: {type: label_join, from: asked, labels: told, key: id, label: good, wait: 1h,
             on_timeout: {label: false}}
sinks: {labelled: {from: labelled, key: id}}
)yaml";

JobRecord At(const std::string& time, const std::string& id, const std::string& more) {
  JobRecord record;
  record.value = R"({"id": ")" + id + R"(", "t": "2024-01-01T)" + time + "Z\", " + more + "}";
  return record;
}

struct Outcome {
  JobOutcome run;
  JobResult result;
};

// `rows` that wait, and one of each source nine hours later.
Outcome RunStorm(const std::string& yaml, int rows, size_t text_bytes) {
  const TempDir dir;
  const SystemClock clock;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  JobFixture job(yaml, Operators(), *log, clock);
  JobInput asked{"asked", 1, {}};
  const std::string text = R"("text": ")" + std::string(text_bytes, 'x') + '"';
  for (int i = 0; i < rows; ++i)
    asked.records.push_back(At("00:00:00", "id" + std::to_string(i), text));
  asked.records.push_back(At("09:00:00", "last", R"("text": "")"));
  CreateAndFill(*log, asked);
  CreateAndFill(
      *log,
      {"told", 1, {At("00:00:00", "none", R"("good": true)"), At("09:00:00", "last", R"("good": true)")}});
  JobOutcome run = job.Run();
  EXPECT_TRUE(run.status.ok()) << run.status.message();
  EXPECT_EQ(run.Count("timed_out{operator=\"labelled\"}"), static_cast<uint64_t>(rows));
  return {std::move(run), job.Read()};
}

// 200 rows of 20 kB go out at one label's watermark; an epoch has room for ten of them.
TEST(Storm, OfTimeOutsIsWorkedOffInEpochsOfTheirBytes) {
  const Outcome outcome = RunStorm(std::string(kJob), 200, 20'000);
  EXPECT_EQ(outcome.result.sinks.at("labelled").size(), 201U);
  EXPECT_GE(outcome.run.report.commits, 18U);
}

// The same of timers of which nobody sees when they fire: the rows are one epoch, what is left of them more.
TEST(Storm, OfCleaningUpIsTooAndComesToItsEnd) {
  std::string yaml(kJob);
  for (const auto& [old, by] :
       {std::pair<std::string, std::string>{"{label: false}", "drop"}, {"200KiB", "64KiB"}})
    yaml.replace(yaml.find(old), old.size(), by);
  const Outcome outcome = RunStorm(yaml, 4000, 1);
  EXPECT_EQ(outcome.result.sinks.at("labelled").size(), 1U);
  EXPECT_GE(outcome.run.report.commits, 5U);
}

}  // namespace
}  // namespace freshet
