// A job that is stopped in the middle and started again commits what an undisturbed one does, on the embedded
// log, with its stores on disk, in memory, or lost.
#include <filesystem>

#include <gtest/gtest.h>

#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

constexpr int kLivesAtMost = 200;

struct Stops {
  uint64_t after_rows = 40;  // taken in one life
  bool on_disk = false;
  bool loses_stores = false;
};

// `counts` gets what the lives committed together.
JobResult RunInLives(const TempDir& dir, const Stops& stops, std::map<std::string, uint64_t>& counts,
                     int& lives) {
  const SystemClock clock;
  bool ended = false;
  for (lives = 0; !ended && lives < kLivesAtMost; ++lives) {
    const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
    JobFixture job(std::string(JoiningJob()), Operators(), *log, clock);
    StopSignal stop;
    JobOptions options;
    options.most_rows = 5;
    options.set = {"shards=2"};
    options.stop = &stop;
    if (stops.on_disk) options.state_directory = dir.File("state");
    ended = true;
    uint64_t batches = 0;
    options.commit_now = [&](uint64_t rows) {
      if (rows >= stops.after_rows || ++batches > 2 * stops.after_rows) {
        stop.Request();  // the epoch that is open must be committed all the same
        ended = false;
      }
      return false;
    };
    const JobOutcome outcome = job.Run(options);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    for (const auto& [name, count] : outcome.report.counts) {
      if (name.find("_bytes{") == std::string::npos) counts[name] += count;  // each commit costs some
    }
    if (stops.loses_stores) std::filesystem::remove_all(dir.File("state"));
  }
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  return JobFixture(std::string(JoiningJob()), Operators(), *log, clock).Read({"shards=2"});
}

void ExpectStopsDoNotShow(const Stops& stops) {
  const SmallRows rows;
  std::map<std::string, uint64_t> counts;
  std::map<std::string, uint64_t> counts_in_lives;
  const TempDir whole_dir;
  const TempDir dir;
  for (const JobInput& input : MakeRows(rows)) {
    CreateAndFill(*OpenUnsyncedLog(whole_dir), input);
    CreateAndFill(*OpenUnsyncedLog(dir), input);
  }
  Stops never;
  never.after_rows = 1'000'000;
  int lives = 0;
  const JobResult whole = RunInLives(whole_dir, never, counts, lives);
  EXPECT_EQ(lives, 1);
  const JobResult found = RunInLives(dir, stops, counts_in_lives, lives);
  EXPECT_GT(lives, 4);
  EXPECT_EQ(Difference(whole, found), "");
  EXPECT_EQ(counts_in_lives, counts);
}

TEST(Restart, InMemory) {
  ExpectStopsDoNotShow({40, false, false});
}

TEST(Restart, WithStoresOnDisk) {
  ExpectStopsDoNotShow({25, true, false});
}

TEST(Restart, WithoutTheStoresOfTheLifeBefore) {
  ExpectStopsDoNotShow({60, true, true});
}

TEST(Restart, AtTheEndDoesNothing) {
  const TempDir dir;
  for (const JobInput& input : MakeRows({}))
    CreateAndFill(*OpenUnsyncedLog(dir), input);
  std::map<std::string, uint64_t> counts;
  int lives = 0;
  const JobResult once = RunInLives(dir, {1'000'000, true, false}, counts, lives);
  counts.clear();
  EXPECT_EQ(Difference(once, RunInLives(dir, {1'000'000, true, false}, counts, lives)), "");
  EXPECT_EQ(counts["rows_in{source=\"events\"}"], 0U);
}

TEST(Restart, WithMoreRowsGoesOnFromTheEnd) {
  const TempDir dir;
  const TempDir whole_dir;
  std::vector<JobInput> inputs = MakeRows({});
  std::vector<std::vector<JobRecord>> later;
  for (JobInput& input : inputs) {
    CreateAndFill(*OpenUnsyncedLog(whole_dir), input);
    const auto half = input.records.begin() + static_cast<ptrdiff_t>(input.records.size() / 2);
    later.emplace_back(half, input.records.end());
    input.records.erase(half, input.records.end());
    CreateAndFill(*OpenUnsyncedLog(dir), input);
  }
  std::map<std::string, uint64_t> counts;
  int lives = 0;
  RunInLives(dir, {1'000'000, true, false}, counts, lives);
  for (size_t i = 0; i < inputs.size(); ++i)
    Append(*OpenUnsyncedLog(dir), inputs[i].topic, later[i]);
  const JobResult found = RunInLives(dir, {1'000'000, true, false}, counts, lives);
  std::map<std::string, uint64_t> whole_counts;
  const JobResult whole = RunInLives(whole_dir, {1'000'000, false, false}, whole_counts, lives);
  // The order of rows differs where the first run came to the end of one source before the other's.
  EXPECT_EQ(found.sinks.at("seen").size(), whole.sinks.at("seen").size());
  EXPECT_EQ(counts["rows_in{source=\"events\"}"], whole_counts["rows_in{source=\"events\"}"]);
}

}  // namespace
}  // namespace freshet
