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

// 200 rows of 20 kB go out at one label's watermark; an epoch has room for ten of them.
TEST(Storm, OfTimeOutsIsWorkedOffInEpochsOfTheirBytes) {
  const TempDir dir;
  const SystemClock clock;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  JobFixture job(std::string(kJob), Operators(), *log, clock);
  JobInput asked{"asked", 1, {}};
  const std::string text = R"("text": ")" + std::string(20'000, 'x') + '"';
  for (int i = 0; i < 200; ++i)
    asked.records.push_back(At("00:00:00", "id" + std::to_string(i), text));
  asked.records.push_back(At("09:00:00", "last", R"("text": "")"));
  CreateAndFill(*log, asked);
  CreateAndFill(
      *log,
      {"told", 1, {At("00:00:00", "none", R"("good": true)"), At("09:00:00", "last", R"("good": true)")}});
  const JobOutcome outcome = job.Run();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(outcome.Count("timed_out{operator=\"labelled\"}"), 200U);
  EXPECT_EQ(job.Read().sinks.at("labelled").size(), 201U);
  EXPECT_GE(outcome.report.commits, 18U);
}

}  // namespace
}  // namespace freshet
