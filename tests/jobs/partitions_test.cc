// Where topics are partitioned by the key already, each partition's rows are worked on as if there were no
// others, wherever those stand in event time.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/hash.h"
#include "engine/base/random.h"
#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/temp_dir.h"
#include "tests/jobs/unsynced_log.h"

namespace freshet {
namespace {

constexpr uint32_t kPartitions = 4;
constexpr Time kStart = 1704067200 * kSecond;  // 2024-01-01

// The operators need the watermark: rows are dropped by it, and time-outs emit.
constexpr std::string_view kJob = R"yaml(job: parts
shards: 4
sources:
  pays:
    event_time: {field: t, max_out_of_orderness: 4s}
    partitioned_by: {field: key}
    fields: {id: string, key: string, t: timestamp, x: float64}
  backs:
    event_time: {field: t, max_out_of_orderness: 4s}
    partitioned_by: {field: key}
    fields: {key: string, t: timestamp, x: float64}
operators:
  some: {type: filter, from: pays, where: "x > -0.9"}
  sums:
    {type: features, from: some, key: key, late: drop, features: {n_1m: {count: "*", window: 1m}, x_9s: {sum: x, window: 9s}}}
  seen: {type: features, from: sums, over: backs, key: key, features: {back_1m: {mean: x, window: 1m}}}
  joined:
    {type: label_join, from: seen, labels: backs, key: key, label: "x > 0", wait: 7s, remember: 11s,
     on_timeout: {label: false}, late_labels: side}
sinks:
  sums: {from: sums, key: id}
  joined: {from: joined, key: id}
  late: {from: joined.late_labels, key: key}
)yaml";

std::vector<std::string> Set(std::string_view order, Partitioner partitioner) {
  const std::string name(NameOf(partitioner));
  return {"order=" + std::string(order), "sources.pays.partitioned_by.partitioner=" + name,
          "sources.backs.partitioned_by.partitioner=" + name};
}

// The same job over topics of which nothing is known.
std::string WithoutPromises(std::string yaml) {
  const std::string_view promise = "    partitioned_by: {field: key}\n";
  for (size_t at = yaml.find(promise); at != std::string::npos; at = yaml.find(promise))
    yaml.erase(at, promise.size());
  return yaml;
}

std::vector<std::string> KeysOf(uint32_t partition, Partitioner partitioner) {
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 5; ++i) {
    std::string key = "k" + std::to_string(i);
    if (PartitionOf(partitioner, key, kPartitions) == partition) keys.push_back(std::move(key));
  }
  return keys;
}

JobRecord Row(Random& random, Time time, uint32_t partition, const std::string& id, const std::string& key) {
  JobRecord record;
  record.partition = static_cast<int32_t>(partition);
  record.timestamp = time;
  record.key = key;
  record.value = R"({"id": ")" + id + R"(", "key": ")" + key + R"(", "t": ")" + FormatTimestamp(time) +
                 R"(", "x": )" + std::to_string(static_cast<double>(random.Below(2000)) / 1000 - 1) + "}";
  return record;
}

// Most rows are in time, some late by up to a minute.
Time DrawTime(Random& random, Time& now) {
  now += static_cast<Duration>(random.Below(3)) * kSecond;
  if (random.Chance(0.1)) return now - static_cast<Duration>(random.Below(60)) * kSecond;
  return now - (random.Chance(0.2) ? static_cast<Duration>(random.Below(5)) * kSecond : 0);
}

// Topics of four partitions, each hours behind the last.
std::vector<JobInput> MakeInputs(Partitioner partitioner) {
  JobInput pays{"pays", kPartitions, {}};
  JobInput backs{"backs", kPartitions, {}};
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    Random random(partition);
    const std::vector<std::string> keys = KeysOf(partition, partitioner);
    Time pay = kStart - partition * kHour;
    Time back = pay;
    for (int i = 0; i < 150; ++i) {
      const std::string id = std::to_string(partition) + "-" + std::to_string(i);
      pays.records.push_back(
          Row(random, DrawTime(random, pay), partition, id, keys[random.Below(keys.size())]));
      backs.records.push_back(
          Row(random, DrawTime(random, back), partition, id, keys[random.Below(keys.size())]));
    }
  }
  return {std::move(pays), std::move(backs)};
}

// Of one partition alone, as topics of one partition.
std::vector<JobInput> OnlyPartition(const std::vector<JobInput>& inputs, uint32_t partition) {
  std::vector<JobInput> only;
  for (const JobInput& input : inputs) {
    JobInput& one = only.emplace_back(JobInput{input.topic, 1, {}});
    for (JobRecord record : input.records) {
      if (record.partition != static_cast<int32_t>(partition)) continue;
      record.partition = 0;
      one.records.push_back(std::move(record));
    }
  }
  return only;
}

JobResult RunOnce(std::string_view yaml, const std::vector<JobInput>& inputs, const JobOptions& options) {
  const TempDir dir;
  const std::unique_ptr<Log> log = OpenUnsyncedLog(dir);
  const SystemClock clock;
  JobFixture job(std::string(yaml), Operators(), *log, clock);
  job.Fill(inputs);
  const JobOutcome outcome = job.Run(options);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
  return job.Read(options.set);
}

struct Scene {
  explicit Scene(std::string_view yaml)
      : log(OpenSimulatedLog(broker)), job(std::string(yaml), Operators(), *log, broker.clock()) {}
  SimulatedBroker broker{1};
  std::unique_ptr<Log> log;
  JobFixture job;
};

// What each sink holds, in no order.
using Rows = std::map<std::string, std::vector<std::string>>;

void AddRows(const JobResult& result, Rows& rows) {
  for (const auto& [topic, records] : result.sinks) {
    for (const JobRecord& record : records)
      rows[topic].push_back(record.key.value_or("") + " " + record.value.value_or(""));
  }
}

Rows Sorted(Rows rows) {
  for (auto& [topic, texts] : rows)
    std::sort(texts.begin(), texts.end());
  return rows;
}

Rows OfEachAlone(const std::vector<JobInput>& inputs) {
  Rows rows;
  for (uint32_t partition = 0; partition < kPartitions; ++partition)
    AddRows(RunOnce(WithoutPromises(std::string(kJob)), OnlyPartition(inputs, partition), {}), rows);
  return Sorted(std::move(rows));
}

TEST(Partitions, WorkAsIfEachWereAlone) {
  for (const Partitioner partitioner : {Partitioner::kMurmur2, Partitioner::kCrc32, Partitioner::kFnv1a}) {
    const std::vector<JobInput> inputs = MakeInputs(partitioner);
    const Rows alone = OfEachAlone(inputs);
    ASSERT_GT(alone.at("sums").size(), 300U);
    ASSERT_LT(alone.at("sums").size(), 570U) << "none was dropped";
    ASSERT_GT(alone.at("joined").size(), 100U);
    ASSERT_GT(alone.at("late").size(), 10U);
    JobOptions options;
    options.set = Set("arrival", partitioner);
    Rows rows;
    AddRows(RunOnce(kJob, inputs, options), rows);
    EXPECT_EQ(Sorted(std::move(rows)), alone);
  }
}

// In event time, and wherever rows of two partitions meet, the promise changes nothing but who finds the
// shard.
TEST(Partitions, ThePromiseAloneDoesNotShow) {
  const std::vector<JobInput> inputs = MakeInputs(Partitioner::kMurmur2);
  std::string meeting(kJob);
  meeting.insert(
      meeting.find("sinks:"),
      "  by_id: {type: features, from: pays, key: id, features: {n_1m: {count: \"*\", window: 1m}}}\n");
  Rows expected;
  AddRows(RunOnce(WithoutPromises(meeting), inputs, {}), expected);
  expected = Sorted(std::move(expected));
  for (const std::string_view order : {"event_time", "arrival"}) {
    JobOptions options;
    options.set = Set(order, Partitioner::kMurmur2);
    Rows rows;
    AddRows(RunOnce(meeting, inputs, options), rows);
    EXPECT_EQ(Sorted(std::move(rows)), expected) << order;
  }
  JobOptions options;
  options.set = Set("event_time", Partitioner::kMurmur2);
  Rows merged, without;
  AddRows(RunOnce(kJob, inputs, options), merged);
  AddRows(RunOnce(WithoutPromises(std::string(kJob)), inputs, {}), without);
  EXPECT_EQ(Sorted(std::move(merged)), Sorted(std::move(without)));
}

TEST(Partitions, CutsDoNotShow) {
  const std::vector<JobInput> inputs = MakeInputs(Partitioner::kMurmur2);
  for (const std::string_view order : {"event_time", "arrival"}) {
    JobOptions options;
    options.set = Set(order, Partitioner::kMurmur2);
    Rows whole;
    AddRows(RunOnce(kJob, inputs, options), whole);
    whole = Sorted(std::move(whole));
    for (const auto& [most_rows, commits] : {std::pair{1, 0.0}, {7, 0.1}, {4096, 0.5}}) {
      Random random(7);
      options.most_rows = static_cast<size_t>(most_rows);
      options.commit_now = [&, chance = commits](uint64_t) { return random.Chance(chance); };
      Rows rows;
      AddRows(RunOnce(kJob, inputs, options), rows);
      EXPECT_EQ(Sorted(std::move(rows)), whole) << order << ", batches of " << most_rows;
    }
  }
}

// A restart takes each task up where its own partition was.
TEST(Partitions, ARestartKnowsEachTasksWatermark) {
  constexpr std::string_view kSums = R"yaml(job: sums
shards: 4
order: arrival
sources:
  pays:
    event_time: {field: t, max_out_of_orderness: 4s}
    partitioned_by: {field: key}
    fields: {id: string, key: string, t: timestamp, x: float64}
operators:
  sums: {type: features, from: pays, key: key, late: drop, features: {x_1m: {sum: x, window: 1m}}}
sinks:
  sums: {from: sums, key: id}
)yaml";
  const JobInput pays = MakeInputs(Partitioner::kMurmur2)[0];
  Rows whole;
  AddRows(RunOnce(kSums, {pays}, {}), whole);

  Scene scene(kSums);
  JobInput first{pays.topic, kPartitions, {}};
  std::vector<JobRecord> rest;
  for (size_t i = 0; i < pays.records.size(); ++i)
    (i % 150 < 90 ? first.records : rest).push_back(pays.records[i]);
  scene.job.Fill(std::vector<JobInput>{first});
  ASSERT_TRUE(scene.job.Run().status.ok());
  Append(*scene.log, pays.topic, rest);
  ASSERT_TRUE(scene.job.Run().status.ok());
  Rows rows;
  AddRows(scene.job.Read(), rows);
  EXPECT_EQ(Sorted(std::move(rows)), Sorted(std::move(whole)));
}

// Of what the plan says: who takes rows in place, and what is merged.
TEST(Partitions, ThePlanSaysWhatStaysInPlace) {
  const auto explained = [](std::vector<std::string> set) {
    const std::unique_ptr<JobPlan> plan = PlanOf(kJob, Operators(), std::move(set));
    return plan ? Explain(*plan) : "";
  };
  const std::string merged = explained({});
  EXPECT_NE(merged.find("takes some by key, in place, into sums"), std::string::npos) << merged;
  EXPECT_NE(merged.find("takes sums by key, in place, into seen"), std::string::npos) << merged;
  EXPECT_NE(merged.find("takes backs by key, in place, into seen"), std::string::npos) << merged;
  EXPECT_EQ(merged.find("each partition by itself"), std::string::npos) << merged;
  EXPECT_NE(merged.find("pays (source, 4 partitions)"), std::string::npos) << merged;
  const std::string apart = explained({"order=arrival"});
  EXPECT_NE(apart.find("topic pays, event time t, up to 4s out of order, each partition by itself"),
            std::string::npos)
      << apart;
  // Another hash puts the rows of a key elsewhere, and so does another number of shards.
  EXPECT_EQ(explained({"sources.backs.partitioned_by.partitioner=crc32"}).find("backs by key, in place"),
            std::string::npos);
  // A topic has one number of partitions, whichever operator stands first in the file.
  const std::string fewer = explained({"operators.sums.shards=2"});
  EXPECT_EQ(fewer.find("takes sums by key, in place"), std::string::npos) << fewer;
  EXPECT_NE(fewer.find("takes some by key, in place, into sums"), std::string::npos) << fewer;
  std::string two(kJob);
  const std::string more =
      "  more: {type: features, from: pays, key: key, shards: 2, features: {n_1h: {count: \"*\", window: "
      "1h}}}\n";
  for (const std::string_view at : {"  some:", "sinks:"}) {
    std::string yaml = two;
    yaml.insert(yaml.find(at), more);
    const std::unique_ptr<JobPlan> plan = PlanOf(yaml, Operators(), {"order=arrival"});
    ASSERT_NE(plan, nullptr);
    const std::string text = Explain(*plan);
    EXPECT_NE(text.find("pays (source, 4 partitions)"), std::string::npos) << text;
    EXPECT_NE(text.find("takes pays by key into more"), std::string::npos) << text;
    EXPECT_EQ(text.find("each partition by itself"), std::string::npos) << text;
  }
}

TEST(Partitions, ARowElsewhereThanPromisedStopsTheJob) {
  Scene scene(kJob);
  std::vector<JobInput> inputs = MakeInputs(Partitioner::kMurmur2);
  JobRecord& moved = inputs[0].records[120];
  ASSERT_EQ(moved.partition, 0);
  moved.partition = 2;
  scene.job.Fill(inputs);
  const Status status = scene.job.Run().status;
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_NE(
      status.message().find("the record at pays[2] offset 0 has the key `" + *moved.key +
                            "`, which murmur2 puts in partition 0 of 4: the topic is not partitioned by "
                            "key as the job's `partitioned_by` says"),
      std::string::npos)
      << status.message();
}

// Watermarks of tasks that were apart are not those of tasks that share one.
TEST(Partitions, StateIsNotReadByAJobThatTakesThemTogether) {
  Scene scene(kJob);
  scene.job.Fill(MakeInputs(Partitioner::kMurmur2));
  JobOptions options;
  options.set = {"order=arrival"};
  ASSERT_TRUE(scene.job.Run(options).status.ok());
  const Status status = scene.job.Run().status;
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_NE(status.message().find("(or `partitioned_by` and `order`)"), std::string::npos)
      << status.message();
}

TEST(Partitions, ARowWithoutAKeyIsADeadLetter) {
  Scene scene(kJob);
  std::vector<JobInput> inputs = MakeInputs(Partitioner::kMurmur2);
  inputs[0].records[3].value = R"({"id": "x", "t": "2024-01-01T00:00:00Z", "x": 1})";
  scene.job.Fill(inputs);
  ASSERT_TRUE(scene.job.Run().status.ok());
  const std::vector<JobRecord> letters = scene.job.Read().dead_letters;
  EXPECT_EQ(
      std::count_if(letters.begin(), letters.end(),
                    [](const JobRecord& letter) { return letter.headers.at("reason") == "missing_field"; }),
      1);
}

TEST(Partitions, ATopicNeedsOneAShard) {
  Scene scene(kJob);
  scene.job.Fill(std::vector<JobInput>{{"pays", 3, {}}, {"backs", 4, {}}});
  const Status status = scene.job.Run().status;
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_NE(status.message().find("topic `pays` (a source) has 3 partitions, the job needs 4, one a shard"),
            std::string::npos)
      << status.message();
}

}  // namespace
}  // namespace freshet
