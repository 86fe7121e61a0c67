// A member that its group throws out for good, as it happens where an answer of the broker is lost: the lane
// goes on as another member, and forgets nothing that its run has settled.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"

namespace freshet {
namespace {

// Its state's keys are twice as long as what the rows bring.
constexpr std::string_view kCountingByTwo = R"yaml(job: counting
sources:
  events:
    event_time: {field: t}
    fields: {id: string, t: timestamp}
operators:
  doubled: {type: derive, from: events, fields: {again: id}}
  counts: {type: features, from: doubled, key: [id, again], features: {n_1h: {count: "*", window: 1h}}}
sinks:
  out: {from: counts, fields: [n_1h]}
)yaml";

// As one that joins under the name of `member`, which throws that one out; and leaves at once.
void TakeTheNameOf(Log& log, const std::string& member) {
  ConsumerOptions same;
  same.group = "counting";
  same.instance = member;
  Result<std::unique_ptr<Consumer>> successor = log.OpenConsumer(same);
  ASSERT_TRUE(successor.ok() && (*successor)->Join("counting.placement").ok());
}

// The counting job over ten rows, thrown out in the midst of commits.
struct Scene {
  explicit Scene(std::string_view yaml = CountingJob())
      : log(OpenSimulatedLog(broker)), job(std::string(yaml), Operators(), *log, broker.clock()) {
    for (int i = 0; i < 10; ++i)
      rows.push_back(CountingRow("id" + std::to_string(i)));
  }
  // `due`: whether the n-th commit, from 0, is the one.
  JobOutcome Run(std::function<bool(int)> due, std::function<void()> meanwhile = nullptr) {
    CreateAndFill(*log, {"events", 1, rows});
    int commits = 0;
    broker.set_at_commit([&, due = std::move(due)](bool before) {
      if (!before) ++committed;
      if (!before || !due(commits++)) return;
      TakeTheNameOf(*log, "counting-one-0");
      if (meanwhile) meanwhile();
    });
    JobOptions options;
    options.instance = "one";
    options.commit_now = [this](uint64_t in_epoch) { return in_epoch >= rows_of_epoch; };
    options.most_rows = rows_of_epoch;
    testing::internal::CaptureStderr();
    JobOutcome outcome = job.Run(options);
    said = testing::internal::GetCapturedStderr();
    return outcome;
  }
  size_t Said(std::string_view what) const {
    size_t count = 0;
    for (size_t at = said.find(what); at != std::string::npos; at = said.find(what, at + 1))
      ++count;
    return count;
  }

  SimulatedBroker broker{1};
  std::unique_ptr<Log> log;
  JobFixture job;
  std::vector<JobRecord> rows;
  size_t rows_of_epoch = 4;
  uint64_t committed = 0;
  std::string said;
};

TEST(Expulsion, KeepsTheEndsThatTheRunBeganWith) {
  Scene scene;
  const JobOutcome outcome = scene.Run([](int commit) { return commit == 1; },
                                       [&] { Append(*scene.log, "events", {{CountingRow("later")}}); });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(scene.Said("joining the group anew"), 1U) << scene.said;
  EXPECT_EQ(scene.job.Read().sinks["out"].size(), scene.rows.size());
  EXPECT_EQ(outcome.Count("rows_in{source=\"events\"}"), scene.rows.size());
}

TEST(Expulsion, KeepsCountOfTheCommits) {
  Scene scene;
  scene.rows_of_epoch = 1;
  const JobOutcome outcome = scene.Run([](int commit) { return commit % 4 == 3; });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(scene.Said("joining the group anew"), 3U) << scene.said;
  EXPECT_EQ(outcome.report.commits, scene.committed);
  EXPECT_EQ(scene.committed, scene.rows.size());
}

// The first commit that gets as far as the log is that of the epoch whose poisoned record became a dead
// letter: it had kept every other from it.
TEST(Expulsion, KeepsWhatItKnowsOfPoisonedRecords) {
  Scene scene(kCountingByTwo);
  scene.rows.insert(scene.rows.begin(), CountingRow(std::string(600 << 10, 'x')));
  scene.rows[0].key.reset();
  const JobOutcome outcome = scene.Run([](int commit) { return commit == 0; });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(scene.Said("joining the group anew"), 1U) << scene.said;
  EXPECT_EQ(scene.Said("keeps every epoch from committing"), 1U) << scene.said;
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size(), 10U);
  ASSERT_EQ(result.dead_letters.size(), 1U);
  EXPECT_EQ(result.dead_letters[0].headers.at("reason"), "keeps_aborting");
  EXPECT_EQ(result.dead_letters[0].headers.at("offset"), "0");
}

// The successor takes the producer's name as well, so that a commit is the first to hear of it.
TEST(Expulsion, IsSeenWhereTheProducerHearsOfItFirst) {
  Scene scene;
  JobOptions options;
  options.instance = "one";
  bool taken = false;
  options.commit_now = [&](uint64_t) {
    if (std::exchange(taken, true)) return false;
    TakeTheNameOf(*scene.log, "counting-one-0");
    Result<std::unique_ptr<Producer>> producer =
        scene.log->OpenProducer({.transactional_id = "counting-one-0"});
    EXPECT_TRUE(producer.ok() && (*producer)->Init().ok());
    return true;
  };
  CreateAndFill(*scene.log, {"events", 1, scene.rows});
  testing::internal::CaptureStderr();
  const JobOutcome outcome = scene.job.Run(options);
  scene.said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(scene.Said("joining the group anew"), 1U) << scene.said;
  EXPECT_EQ(scene.Said("beginning again"), 0U) << scene.said;
  EXPECT_EQ(scene.job.Read().sinks["out"].size(), scene.rows.size());
}

// Months may lie between them.
TEST(Expulsion, WithCommitsBetweenIsNeverTheLast) {
  Scene scene;
  scene.rows_of_epoch = 1;
  const JobOutcome outcome = scene.Run([&](int commit) {
    scene.broker.Advance(11 * kMinute);
    return commit % 2 == 1;
  });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(scene.Said("joining the group anew"), 9U) << scene.said;
  EXPECT_EQ(scene.job.Read().sinks["out"].size(), scene.rows.size());
}

// Each of two processes of one name commits before the other throws it out.
TEST(Expulsion, SoonAfterJoiningEndsTheRunThoughCommitsLieBetween) {
  Scene scene;
  scene.rows_of_epoch = 1;
  const JobOutcome outcome = scene.Run([](int commit) { return commit % 2 == 1; });
  EXPECT_EQ(outcome.status.code(), Code::kFenced) << outcome.status.message();
  EXPECT_EQ(scene.Said("joining the group anew"), 5U) << scene.said;
  EXPECT_GT(scene.committed, 0U);
}

// Two processes of one name throw each other out for ever.
TEST(Expulsion, AgainAndAgainEndsTheRun) {
  Scene scene;
  const JobOutcome outcome = scene.Run([](int) { return true; });
  EXPECT_EQ(outcome.status.code(), Code::kFenced) << outcome.status.message();
  EXPECT_NE(outcome.status.message().find("see which process uses it too"), std::string::npos);
  EXPECT_EQ(scene.Said("joining the group anew"), 5U) << scene.said;
  EXPECT_EQ(scene.committed, 0U);
}

}  // namespace
}  // namespace freshet
