// Where rows, shards and epochs are cut never shows in what a job writes, learns or keeps.
#include <algorithm>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

struct Cut {
  size_t most_rows = 4096;
  int shards = 8;
  double commit_chance = 0;  // after each batch
  uint64_t seed = 0;
  std::string set = "commit.interval=200ms";  // as it is
};

JobResult RunOnce(std::string_view yaml, const SmallRows& rows, const Cut& cut) {
  const TempDir dir;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  const SystemClock clock;
  JobFixture job(std::string(yaml), Operators(), *log, clock);
  job.Fill(MakeRows(rows));
  Random random(cut.seed);
  JobOptions run;
  run.most_rows = cut.most_rows;
  run.set = {"shards=" + std::to_string(cut.shards), cut.set};
  run.commit_now = [&](uint64_t) { return random.Chance(cut.commit_chance); };
  const JobOutcome outcome = job.Run(run);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  return job.Read(run.set);
}

void ExpectCutsDoNotShow(std::string_view yaml, SmallRows rows) {
  const JobResult whole = RunOnce(yaml, rows, {});
  for (const auto& [topic, records] : whole.sinks)
    EXPECT_FALSE(records.empty()) << topic;
  for (const auto& [model, blocks] : whole.models)
    EXPECT_GT(blocks.size(), 1U) << model;
  for (const Cut& cut : {Cut{1, 8, 0, 0}, Cut{7, 8, 0, 0}, Cut{4096, 1, 0, 0}, Cut{4096, 3, 0, 0},
                         Cut{4096, 8, 0.3, 5}, Cut{1, 3, 0.05, 6}, Cut{7, 1, 1, 7}}) {
    const JobResult other = RunOnce(yaml, rows, cut);
    EXPECT_EQ(Difference(whole, other), "")
        << "batches of " << cut.most_rows << ", " << cut.shards << " shards, commits " << cut.commit_chance;
  }
}

TEST(Cuts, OfASmallJob) {
  ExpectCutsDoNotShow(SmallJob(), {});
}

TEST(Cuts, OfAJobThatJoinsLabels) {
  ExpectCutsDoNotShow(JoiningJob(), {});
}

// The other source has gone on meanwhile: the rows are behind the watermark, and the timers that they set are
// due at once.
JobResult RunWithRowsFromBehind(std::string_view yaml, const Cut& cut) {
  const TempDir dir;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  const SystemClock clock;
  JobFixture job(std::string(yaml), Operators(), *log, clock);
  std::vector<JobInput> inputs = MakeRows({});
  std::vector<JobRecord>& events = inputs[0].records;
  const auto third = static_cast<ptrdiff_t>(events.size() / 3);
  const std::vector<JobRecord> behind(events.begin() + third, events.end());
  events.resize(static_cast<size_t>(third));
  job.Fill(inputs);
  JobOptions run;
  run.most_rows = cut.most_rows;
  run.set = {"shards=" + std::to_string(cut.shards)};
  EXPECT_TRUE(job.Run(run).status.ok());
  Append(*log, inputs[0].topic, behind);
  EXPECT_TRUE(job.Run(run).status.ok());
  return job.Read(run.set);
}

TEST(Cuts, OfRowsThatComeFromBehindTheWatermark) {
  constexpr std::string_view kBehind = R"yaml(job: behind
sources:
  events:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, other: string, t: timestamp}
  clicks:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {key: string, t: timestamp, score: float64}
operators:
  labelled:
    {type: label_join, from: events, labels: clicks, key: key, label: "score > 0", wait: 3s, remember: 3s,
     on_timeout: {label: false}}
  after: {type: features, from: labelled, key: other, late: drop, features: {n_9s: {count: "*", window: 9s}}}
sinks:
  after: {from: after, key: id}
)yaml";
  const JobResult whole = RunWithRowsFromBehind(kBehind, {});
  EXPECT_GT(whole.sinks.at("after").size(), 50U);
  for (const Cut& cut : {Cut{1, 8}, Cut{7, 8}, Cut{4096, 1}, Cut{1, 3}}) {
    EXPECT_EQ(Difference(whole, RunWithRowsFromBehind(kBehind, cut)), "")
        << "batches of " << cut.most_rows << ", " << cut.shards << " shards";
  }
}

// Where one operator's shards differ from its neighbour's, their stages are two.
TEST(Cuts, OfOneOperatorsShards) {
  std::string yaml(JoiningJob());
  const std::string_view key = "    exclude_current: true\n";
  const size_t at = yaml.find(key);
  ASSERT_NE(at, std::string::npos);
  yaml.insert(at, "    late: drop\n");
  const JobResult whole = RunOnce(yaml, {}, {});
  for (const std::string set : {"operators.by_key.shards=5", "operators.by_clicks.shards=1"}) {
    Cut cut;
    cut.set = set;
    EXPECT_EQ(Difference(whole, RunOnce(yaml, {}, cut)), "") << set;
  }
}

TEST(Cuts, OfAJobWhoseLateLabelsCorrect) {
  const std::vector<JobRecord> labelled = RunOnce(CorrectingJob(), {}, {}).sinks["labelled"];
  const auto corrected = std::count_if(labelled.begin(), labelled.end(), [](const JobRecord& record) {
    return record.value->find("\"corrected\"") != std::string::npos;
  });
  EXPECT_GT(corrected, 10);
  ExpectCutsDoNotShow(CorrectingJob(), {});
}

// Each shard has its own count of the labels that wait for their predictions; together they are as many.
void ExpectWaitingLabelsDoNotShow(std::string_view labels_early, int64_t at_least) {
  std::string yaml(JoiningJob());
  const auto replace = [&](std::string_view old, std::string_view by) {
    const size_t at = yaml.find(old);
    ASSERT_NE(at, std::string::npos) << old;
    yaml.replace(at, old.size(), by);
  };
  replace("seen: {type: predict, from: by_clicks",
          "some: {type: filter, from: by_clicks, where: \"x > 0\"}\n  seen: {type: predict, from: some");
  replace("late_labels: side", "labels_early: " + std::string(labels_early));
  replace("  late: {from: labelled.late_labels, key: id}\n", "");
  int64_t waiting = 0;
  Time latest = kMinTime;
  for (const auto& [stage, rows] : RunOnce(yaml, {}, {}).state) {
    for (const auto& [row, value] : rows) {
      if (!row.ends_with("entries: ")) continue;  // "<count>, latest <time>"
      waiting += std::stoll(value);
      latest = std::max<Time>(latest, std::stoll(value.substr(value.rfind(' '))));
    }
  }
  EXPECT_GE(waiting, at_least);
  EXPECT_GT(latest, kMinTime) << "none has waited";
  ExpectCutsDoNotShow(yaml, {});
}

TEST(Cuts, OfLabelsThatStillWait) {
  ExpectWaitingLabelsDoNotShow("1h", 10);
}

// Most wait only until the watermark has passed them.
TEST(Cuts, OfLabelsThatWaitedForNothing) {
  ExpectWaitingLabelsDoNotShow("0s", 0);
}

// Keyed operators inside a stage see fewer rows than come in, in calls of others, some of them from a timer;
// a number as a key has two zeros.
TEST(Cuts, OfKeyedOperatorsInsideAStage) {
  ExpectCutsDoNotShow(R"yaml(job: nested
sources:
  events:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, other: string, t: timestamp, x: float64}
  clicks:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, t: timestamp, score: float64}
operators:
  by_key: {type: features, from: events, key: key, features: {n_1m: {count: "*", window: 1m}}}
  some: {type: filter, from: by_key, where: "x > 0"}
  again: {type: features, from: some, key: key, features: {mean_1m: {mean: x, window: 1m}}}
  labelled: {type: label_join, from: events, labels: clicks, key: id, label: "score > 0", wait: 30s,
             on_timeout: {label: false}}
  after: {type: features, from: labelled, key: id, allowed_lateness: 1h, features: {labels: {count: "*", window: 10m}}}
  level: {type: derive, from: events, fields: {zero: "x > 0 ? 0.0 : -0.0"}}
  by_zero: {type: features, from: level, key: zero, features: {rows_1m: {count: "*", window: 1m}}}
sinks:
  again: {from: again, key: id}
  after: {from: after, key: id}
  by_zero: {from: by_zero, key: zero}
)yaml",
                      {});
}

TEST(Cuts, OfBadRecords) {
  SmallRows rows;
  rows.seed = 7;
  rows.events = 500;
  rows.bad_one_in = 10;
  rows.click_partitions = 3;
  ExpectCutsDoNotShow(JoiningJob(), rows);
}

// Rows of one source that meet again: as rows and in windows over them, where a model predicts and learns, in
// one sink and in one topic.
TEST(Cuts, OfRowsThatMeetOnTheirWay) {
  ExpectCutsDoNotShow(R"yaml(job: meeting
sources:
  events:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, other: string, t: timestamp, x: float64, rank: int64}
  clicks:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, t: timestamp, score: float64}
operators:
  high: {type: filter, from: events, where: "x > 0.3"}
  low: {type: filter, from: events, where: "x < 0.1"}
  seen: {type: features, from: events, over: high, key: key, features: {y_1m: {mean: x, window: 1m}}}
  predicted: {type: predict, from: seen, model: m}
  labelled: {type: label_join, from: predicted, labels: low, key: id, label: "rank > 2", wait: 1m}
  learnt: {type: train, from: labelled}
  again: {type: train, from: seen, models: [own], label: "rank > 2"}
  before: {type: predict, from: seen, model: own}
models:
  m: {features: {numeric: [x, y_1m]}}
  own: {features: {numeric: [x, y_1m]}, microbatch: 5}
sinks:
  united: {from: [high, low]}
  learnt: {from: learnt, topic: both, fields: [id, m.version, m.probability]}
  again: {from: again, topic: both, fields: [id, own.version, own.probability]}
  before: {from: before, fields: [id, own.version, own.probability]}
)yaml",
                      {});
}

JobRecord At(std::string_view id, std::string_view time, std::string_view more) {
  JobRecord one;
  one.value = R"({"id": ")" + std::string(id) + R"(", "t": "2024-01-01T)" + std::string(time) + R"(:00Z")" +
              std::string(more) + "}";
  return one;
}

// Of a job over the topics `asked` and `told`, whose every sink gets rows.
void ExpectBatchesDoNotShow(std::string_view yaml, const std::vector<JobRecord>& told,
                            const std::vector<JobRecord>& asked) {
  const auto run = [&](size_t most_rows) {
    const TempDir dir;
    const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
    const SystemClock clock;
    JobFixture job(std::string(yaml), Operators(), *log, clock);
    CreateAndFill(*log, {"told", 1, told});
    CreateAndFill(*log, {"asked", 1, asked});
    JobOptions cut;
    cut.most_rows = most_rows;
    const JobOutcome outcome = job.Run(cut);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    return job.Read();
  };
  const JobResult whole = run(4096);
  for (const auto& [topic, records] : whole.sinks)
    EXPECT_FALSE(records.empty()) << topic;
  EXPECT_EQ(Difference(whole, run(1)), "");
}

// A row that a timer gives goes back in time: to before tiles that leave, and that have left already where
// the timer's row came in a later batch.
TEST(Cuts, OfWindowsBehindTimers) {
  constexpr std::string_view kJob = R"yaml(job: behind
sources:
  asked: {event_time: {field: t}, fields: {id: string, t: timestamp}}
  told: {event_time: {field: t}, fields: {id: string, t: timestamp, good: bool}}
operators:
  all: {type: derive, from: asked, fields: {k: "'k'"}}
  labelled: {type: label_join, from: all, labels: told, key: id, label: good, wait: 1h, on_timeout: {label: false}}
  counted: {type: features, from: labelled, key: k, features: {n_1h: {count: "*", window: 1h}}}
sinks:
  counted: {from: counted, fields: [id, n_1h]}
)yaml";
  ExpectBatchesDoNotShow(kJob, {},
                         {At("first", "00:00", ""), At("b", "02:39", ""), At("a", "03:00", ""),
                          At("late", "00:30", ""), At("end", "09:00", "")});
}

// A label that came before its prediction gives a row as old as itself, whose timers may fall due before the
// next row of the batch.
TEST(Cuts, OfLabelsThatComeEarly) {
  constexpr std::string_view kJob = R"yaml(job: early
sources:
  asked: {event_time: {field: t}, fields: {id: string, t: timestamp}}
  told: {event_time: {field: t}, fields: {id: string, t: timestamp, good: bool}}
operators:
  labelled: {type: label_join, from: asked, labels: told, key: id, label: good, wait: 1h, labels_early: 30m}
  scores: {type: evaluate, from: labelled, every: 1h, baselines: [prior]}
sinks:
  scores: {from: scores}
)yaml";
  ExpectBatchesDoNotShow(kJob,
                         {At("k", "10:55", R"(, "good": true)"), At("q", "10:57", R"(, "good": true)"),
                          At("z", "11:03", R"(, "good": false)")},
                         {At("p", "10:58", ""), At("k", "11:05", ""), At("q", "11:06", "")});
}

}  // namespace
}  // namespace freshet
