// What is wrong from outside: records that are no rows go to the dead letters with reason and origin, and the
// job goes on; topics, changelogs and groups that are not as they must be are said so plainly, and nothing is
// lost.
#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

constexpr std::string_view kCounting = R"yaml(job: counting
sources:
  events:
    event_time: {field: t}
    fields: {id: string, t: timestamp, x: {type: float64, required: true}, count: int64}
operators:
  sums:
    {type: features, from: events, key: id, features: {sum_1h: {sum: x, window: 1h}}}
sinks:
  out: {from: sums, key: id}
)yaml";

constexpr size_t kLargest = 1 << 20;  // what the simulated log takes

JobRecord Record(std::optional<std::string> value) {
  JobRecord record;
  record.timestamp = SimulatedBroker::kStart;
  record.key = "key";
  record.value = std::move(value);
  return record;
}

std::string Good(const std::string& id, const std::string& time = "2024-01-01T00:00:00Z") {
  return R"({"id": ")" + id + R"(", "t": ")" + time + R"(", "x": 1})";
}

// A job over a log in memory.
struct Scene {
  explicit Scene(std::string_view yaml)
      : log(OpenSimulatedLog(broker)), job(std::string(yaml), Operators(), *log, broker.clock()) {}
  Status Run(const JobOptions& options = {}) { return job.Run(options).status; }
  SimulatedBroker broker{1};
  std::unique_ptr<Log> log;
  JobFixture job;
};

size_t CountOf(const std::string& what, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

void ExpectSays(const Status& status, Code code, std::initializer_list<std::string_view> parts) {
  EXPECT_EQ(status.code(), code) << status.message();
  for (const std::string_view part : parts)
    EXPECT_NE(status.message().find(part), std::string::npos) << part << " in: " << status.message();
}

// Sets the group's position from outside, as an operator's tool does.
void CommitPosition(Log& log, const std::string& group, const PartitionOffset& position) {
  ConsumerOptions consuming;
  consuming.group = group;
  Result<std::unique_ptr<Consumer>> consumer = log.OpenConsumer(consuming);
  ASSERT_TRUE(consumer.ok());
  ASSERT_TRUE((*consumer)->Join(group + ".placement").ok());
  for (bool assigned = false; !assigned;) {
    const Result<GroupChange> change = (*consumer)->Poll(kSecond);
    ASSERT_TRUE(change.ok()) << change.status().message();
    assigned = !change->assigned.empty();
  }
  ProducerOptions producing;
  producing.transactional_id = "tool";
  Result<std::unique_ptr<Producer>> producer = log.OpenProducer(producing);
  ASSERT_TRUE(producer.ok());
  ASSERT_TRUE((*producer)->Init().ok());
  ASSERT_TRUE((*producer)->Begin().ok());
  const Status committed = (*producer)->Commit({&position, 1}, **consumer);
  ASSERT_TRUE(committed.ok()) << committed.message();
  ASSERT_TRUE((*consumer)->Close(kSecond).ok());
}

// An expression without a result in a row is counted where it stands, and nowhere else.
TEST(BadInput, ExpressionFaultsAreCountedByOperator) {
  constexpr std::string_view kJob = R"yaml(job: faulty
sources:
  events: {event_time: {field: t}, fields: {id: string, t: timestamp, part: int64, text: string}}
operators:
  derived: {type: derive, from: events, fields: {share: 100 / part, next: part + 9223372036854775807, number: int(text)}}
  kept: {type: filter, from: derived, where: "1 / part > 0"}
sinks:
  out: {from: kept, fields: [id, share, next, number]}
)yaml";
  Scene scene(kJob);
  CreateAndFill(*scene.log,
                {"events",
                 1,
                 {Record(R"({"id": "a", "t": "2024-01-01T00:00:00Z", "part": 0, "text": "7"})"),
                  Record(R"({"id": "b", "t": "2024-01-01T00:00:01Z", "part": 1, "text": "x"})"),
                  Record(R"({"id": "c", "t": "2024-01-01T00:00:02Z", "part": 1, "text": "y"})")}});
  const JobOutcome outcome = scene.job.Run({});
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  EXPECT_EQ(outcome.Count("division_by_zero{operator=\"derived\"}"), 1U);
  EXPECT_EQ(outcome.Count("overflow{operator=\"derived\"}"), 2U);
  EXPECT_EQ(outcome.Count("bad_conversion{operator=\"derived\"}"), 2U);
  EXPECT_EQ(outcome.Count("division_by_zero{operator=\"kept\"}"), 1U);
  EXPECT_EQ(outcome.Count("bad_conversion{operator=\"kept\"}"), 0U);
}

TEST(BadInput, GoesToTheDeadLettersWithReasonAndOrigin) {
  const std::pair<std::string_view, std::optional<std::string>> bad[] = {
      {"not_json", "x"},
      {"not_json", ""},
      {"not_json", "[1, 2]"},
      {"not_json", Good("a") + " and more"},
      {"no_value", std::nullopt},
      {"wrong_type", R"({"id": 1, "t": "2024-01-01T00:00:00Z", "x": 1})"},
      {"wrong_type", R"({"id": "a", "t": "yesterday", "x": 1})"},
      {"wrong_type", R"({"id": "a", "t": "2024-01-01T00:00:00Z", "x": "1"})"},
      {"missing_field", R"({"id": "a", "x": 1})"},
      {"missing_field", R"({"id": "a", "t": "2024-01-01T00:00:00Z", "x": null})"},
      {"out_of_range", R"({"id": "a", "t": "2024-01-01T00:00:00Z", "x": 1e999})"},
      {"out_of_range", R"({"id": "a", "t": "2024-01-01T00:00:00Z", "x": 1, "count": 9223372036854775808})"},
      {"not_json", R"({"id": "a", "t": "2024-01-01T00:00:00Z", "x": NaN})"},
      {"too_deep", R"({"id": "a", "t": "2024-01-01T00:00:00Z", "x": 1, "y": )" + std::string(100, '[') +
                       std::string(100, ']') + "}"},
      {"far_in_the_future", Good("a", "2024-01-02T00:00:01Z")},
  };
  Scene scene(kCounting);
  JobInput input{"events", 1, {}};
  std::map<std::string, uint64_t> expected;
  for (const auto& [reason, value] : bad) {
    input.records.push_back(Record(Good("good")));
    input.records.push_back(Record(value));
    ++expected["dead_letters{reason=\"" + std::string(reason) + "\"}"];
  }
  CreateAndFill(*scene.log, input);
  JobOptions options;
  uint64_t shown = 0;
  options.progress = [&](const LaneProgress& progress) { shown = progress.dead_letters; };
  const JobOutcome outcome = scene.job.Run(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size(), std::size(bad));
  ASSERT_EQ(result.dead_letters.size(), std::size(bad));
  for (size_t i = 0; i < std::size(bad); ++i) {
    const JobRecord& letter = result.dead_letters[i];
    EXPECT_EQ(letter.headers.at("reason"), bad[i].first) << letter;
    EXPECT_FALSE(letter.headers.at("detail").empty()) << letter;
    EXPECT_EQ(letter.headers.at("topic"), "events");
    EXPECT_EQ(letter.headers.at("partition"), "0");
    EXPECT_EQ(letter.headers.at("offset"), std::to_string(2 * i + 1));
    EXPECT_EQ(letter.value.value_or(""), bad[i].second.value_or(""));
    EXPECT_EQ(letter.key, "key");
  }
  for (const auto& [name, count] : expected)
    EXPECT_EQ(outcome.Count(name), count) << name;
  EXPECT_EQ(shown, std::size(bad));
  EXPECT_EQ(outcome.Count("rows_in{source=\"events\"}"), std::size(bad));
}

TEST(BadInput, OfNothingElseIsWorkedOffInPieces) {
  Scene scene(kCounting);
  JobInput input{"events", 1, {}};
  for (int i = 0; i < 5000; ++i)
    input.records.push_back(Record("bad " + std::to_string(i)));
  CreateAndFill(*scene.log, input);
  JobOptions options;
  uint64_t most = 0;
  options.commit_now = [&](uint64_t rows) {
    most = std::max(most, rows);
    return rows > 0;
  };
  ASSERT_TRUE(scene.Run(options).ok());
  EXPECT_LE(most, 1024U);
  const JobResult result = scene.job.Read();
  ASSERT_EQ(result.dead_letters.size(), input.records.size());
  for (size_t i = 0; i < input.records.size(); ++i)
    ASSERT_EQ(result.dead_letters[i].value, input.records[i].value);
}

// A record as large as the log takes them: in the dead letters there is no room for all of it and its
// headers.
TEST(BadInput, TooLargeForTheDeadLettersIsCut) {
  Scene scene(kCounting);
  JobInput input{"events", 1, {}};
  input.records.push_back(Record(std::string(kLargest - 200, 'x')));
  input.records.push_back(Record("y"));
  input.records.back().key = std::string(kLargest - 200, 'k');
  input.records.push_back(Record(Good("a")));
  CreateAndFill(*scene.log, input);
  const Status status = scene.Run();
  ASSERT_TRUE(status.ok()) << status.message();
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size(), 1U);
  ASSERT_EQ(result.dead_letters.size(), 2U);
  for (const JobRecord& letter : result.dead_letters) {
    EXPECT_EQ(letter.headers.at("truncated"), "true");
    EXPECT_EQ(letter.headers.at("reason"), "not_json");
  }
}

TEST(BadInput, OutputTooLargeForItsTopicIsADeadLetter) {
  Scene scene(kCounting);
  const std::string id(600 << 10, 'a');  // stands in the key and in the value
  JobInput input{"events", 1, {}};
  input.records.push_back(Record(Good("a")));
  input.records.push_back(Record(Good(id)));
  input.records.push_back(Record(Good("b")));
  CreateAndFill(*scene.log, input);
  const JobOutcome outcome = scene.job.Run();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size(), 2U);
  ASSERT_EQ(result.dead_letters.size(), 1U);
  const JobRecord& letter = result.dead_letters[0];
  EXPECT_EQ(letter.headers.at("reason"), "output_too_large");
  EXPECT_EQ(letter.headers.at("operator"), "out");
  EXPECT_EQ(letter.headers.at("topic"), "events");
  EXPECT_EQ(letter.headers.at("partition"), "0");
  EXPECT_EQ(letter.headers.at("offset"), "1");
  EXPECT_EQ(letter.headers.at("truncated"), "true");
  EXPECT_EQ(outcome.Count("rows_out{sink=\"out\"}"), 2U);
  EXPECT_EQ(outcome.Count("dead_letters{reason=\"output_too_large\"}"), 1U);
}

// The empty text is another key. A compacted topic takes no record without one.
TEST(BadInput, OutputWhoseKeyIsNullHasNoKey) {
  Scene scene(R"yaml(job: keyless
sources:
  events:
    event_time: {field: t}
    fields: {id: string, k: string, t: timestamp}
sinks:
  one: {topic: one, from: events, key: k, fields: [id]}
  two: {topic: two, from: events, key: [id, k], fields: [id]}
  last: {topic: last, from: events, key: k, fields: [id]}
)yaml");
  TopicSettings compacted;
  compacted.compacted = true;
  ASSERT_TRUE(scene.log->Create("last", compacted).ok());
  JobInput input{"events", 1, {}};
  for (const std::string rest : {R"()", R"(, "k": "")", R"(, "k": "x")"}) {
    input.records.push_back(Record(R"({"id": "a", "t": "2024-01-01T00:00:00Z")" + rest + "}"));
  }
  CreateAndFill(*scene.log, input);
  const JobOutcome outcome = scene.job.Run();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  const JobResult result = scene.job.Read();
  std::vector<std::optional<std::string>> keys;
  for (const JobRecord& record : result.sinks.at("one"))
    keys.push_back(record.key);
  EXPECT_EQ(keys, (std::vector<std::optional<std::string>>{std::nullopt, "", "x"}));
  EXPECT_EQ(result.sinks.at("two").size(), 3U);
  EXPECT_EQ(result.sinks.at("two")[0].key, R"(["a",null])");
  EXPECT_EQ(result.sinks.at("last").size(), 2U);
  ASSERT_EQ(result.dead_letters.size(), 1U);
  EXPECT_EQ(result.dead_letters[0].headers.at("reason"), "missing_key");
  EXPECT_EQ(result.dead_letters[0].headers.at("operator"), "last");
  EXPECT_EQ(result.dead_letters[0].headers.at("offset"), "0");
  EXPECT_EQ(result.dead_letters[0].value, R"({"id":"a"})");
}

constexpr std::string_view kKeepingSources = R"yaml(job: keeping
sources:
  events:
    event_time: {field: t}
    fields: {id: string, t: timestamp, text: string}
  clicks:
    event_time: {field: t}
    fields: {id: string, t: timestamp, good: bool}
)yaml";

// `large`: the one whose text is too much to be kept. `apart`: between their event times.
JobInput HundredEvents(int large, Duration apart) {
  JobInput events{"events", 1, {}};
  for (int i = 0; i < 100; ++i) {
    const std::string text(i == large ? 600 << 10 : 10, 'x');
    const std::string time = FormatTimestamp(SimulatedBroker::kStart + i * apart);
    events.records.push_back(Record(R"({"id": "e)" + std::to_string(i) + R"(", "t": ")" + time +
                                    R"(", "text": ")" + text + "\"}"));
  }
  return events;
}

// What is kept of a row until its label comes can be more than a record of the changelog may be. Only the
// culprit is given up.
TEST(BadInput, StateTooLargeForItsChangelogCostsOnlyTheRecord) {
  Scene scene(std::string(kKeepingSources) + R"yaml(operators:
  doubled: {type: derive, from: events, fields: {again: text}}
  labelled: {type: label_join, from: doubled, labels: clicks, key: id, label: good, wait: 1h, on_timeout: side}
sinks:
  out: {from: labelled.timed_out, fields: [id]}
  texts: {from: labelled, fields: [text, again]}
)yaml");
  CreateAndFill(*scene.log, HundredEvents(57, 0));
  CreateAndFill(*scene.log,
                {"clicks", 1, {Record(R"({"id": "e", "t": "2024-01-01T02:00:00Z", "good": true})")}});
  JobOptions options;
  options.commit_now = [](uint64_t) { return true; };
  const JobOutcome outcome = scene.job.Run(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  const JobResult result = scene.job.Read();
  EXPECT_EQ(result.sinks.at("out").size(), 99U);
  ASSERT_EQ(result.dead_letters.size(), 1U);
  EXPECT_EQ(result.dead_letters[0].headers.at("reason"), "keeps_aborting");
  EXPECT_EQ(result.dead_letters[0].headers.at("offset"), "57");
  EXPECT_EQ(outcome.Count("rows_in{source=\"events\"}"), 99U);
}

// A timer brings rows that come to more downstream than a record of the changelog may be. No record around it
// is to blame, and without the timer nothing goes on.
TEST(BadInput, StateTooLargeByATimerStopsTheJobAndCostsNoRecord) {
  Scene scene(std::string(kKeepingSources) + R"yaml(operators:
  first: {type: label_join, from: events, labels: clicks, key: id, label: good, wait: 1h, on_timeout: side}
  doubled: {type: derive, from: first.timed_out, fields: {again: text}}
  second: {type: features, from: doubled, key: [text, again], features: {n_1h: {count: "*", window: 1h}}}
sinks:
  out: {from: second, fields: [id, n_1h]}
)yaml");
  CreateAndFill(*scene.log, HundredEvents(7, kMinute));
  CreateAndFill(*scene.log,
                {"clicks", 1, {Record(R"({"id": "e", "t": "2024-01-01T00:00:00Z", "good": true})")}});
  for (const int every : {1000, 1}) {
    JobOptions options;
    options.commit_now = [every](uint64_t rows) { return rows >= static_cast<uint64_t>(every); };
    ExpectSays(
        scene.Run(options), Code::kUnwritable,
        {"the timer of operator `first` for the key `e7`", "keeping.changelog.second", "max.message.bytes"});
    EXPECT_TRUE(scene.job.Read().dead_letters.empty());
  }
}

// --- what is not as it must be

TEST(Refusals, OfMissingTopicsNamesAllOfThem) {
  Scene scene(SmallJob());
  ExpectSays(scene.Run(), Code::kNotFound,
             {"topic `events` (a source) is not on", "topic `clicks` (a source)", "freshet produce clicks"});
}

TEST(Refusals, OfAChangelogWithOtherPartitions) {
  Scene scene(kCounting);
  CreateAndFill(*scene.log, {"events", 1, {Record(Good("a"))}});
  ASSERT_TRUE(scene.Run().ok());
  JobOptions options;
  options.set = {"shards=4"};
  ExpectSays(
      scene.Run(options), Code::kInvalid,
      {"counting.changelog.sums", "has 8 partitions, the job needs 4", "`shards` is fixed", "`prefix`"});
}

TEST(Refusals, OfAChangelogThatVanished) {
  Scene scene(kCounting);
  CreateAndFill(*scene.log, {"events", 1, {Record(Good("a"))}});
  ASSERT_TRUE(scene.Run().ok());
  // Another broker that kept the group's positions and lost the changelog: as if the topic had been deleted
  // and made anew.
  SimulatedBroker bare(2);
  const std::unique_ptr<Log> log = OpenSimulatedLog(bare);
  CreateAndFill(*log, {"events", 1, {Record(Good("a"))}});
  JobFixture job(std::string(kCounting), Operators(), *log, bare.clock());
  ASSERT_TRUE(log->Create("counting.placement", {}).ok());
  CommitPosition(*log, "counting", {{"events", 0}, 1});
  ExpectSays(job.Run().status, Code::kConflict,
             {"the group has read events[0] up to 1", "the changelogs of the job are empty", "`prefix`"});
}

TEST(Refusals, OfWhatSomebodyElseWroteIntoAModelsTopic) {
  Scene scene(SmallJob());
  scene.job.Fill(MakeRows({}));
  const std::unique_ptr<JobPlan> plan = PlanOf(SmallJob(), Operators());
  ASSERT_NE(plan, nullptr);
  TopicSettings settings;
  settings.compacted = true;
  settings.retention = kMaxTime;
  ASSERT_TRUE(scene.log->Create(plan->models.at(0).topic, settings).ok());
  Append(*scene.log, plan->models[0].topic, std::vector<JobRecord>{Record("foreign")});
  ExpectSays(scene.Run(), Code::kCorrupt,
             {plan->models[0].topic, "none of ours", "another name or `prefix`"});
}

TEST(Refusals, OfAGroupThatWasReset) {
  Scene scene(kCounting);
  CreateAndFill(*scene.log, {"events", 1, {Record(Good("a")), Record(Good("b"))}});
  ASSERT_TRUE(scene.Run().ok());
  CommitPosition(*scene.log, "counting", {{"events", 0}, 0});
  ExpectSays(scene.Run(), Code::kConflict,
             {"the group stands at events[0] offset 0", "committed at offset 2", "set it back to 2"});
}

TEST(Refusals, OfAJobFileThatKeysItsStateOtherwise) {
  Scene scene(kCounting);
  CreateAndFill(*scene.log, {"events", 1, {Record(Good("a"))}});
  ASSERT_TRUE(scene.Run().ok());
  JobOptions options;
  options.set = {"operators.sums.key=t"};
  ExpectSays(scene.Run(options), Code::kConflict,
             {"other stages, shards, keys or tables", "counting.changelog.sums", "`prefix`"});
}

TEST(Refusals, OfAStateDirectoryOfAnotherJob) {
  const TempDir dir;
  Scene scene(kCounting);
  CreateAndFill(*scene.log, {"events", 1, {Record(Good("a"))}});
  JobOptions options;
  options.state_directory = dir.path();
  ASSERT_TRUE(scene.Run(options).ok());
  options.set = {"job=other"};
  ExpectSays(scene.Run(options), Code::kConflict, {dir.path(), "belongs to the job `counting`", "--state"});
}

// A replay of old events into a topic that deletes by time would lose its output without a word.
TEST(BadSinks, OneThatDeletesWhatItIsGivenIsNamedOnce) {
  Scene scene(kCounting);
  TopicSettings settings;
  settings.retention = 7 * kDay;
  ASSERT_TRUE(scene.log->Create("out", settings).ok());
  scene.job.Fill(std::vector<JobInput>{
      {"events", 1, {Record(Good("a", "2013-01-01T00:00:00Z")), Record(Good("b", "2013-01-01T00:00:01Z"))}}});
  testing::internal::CaptureStderr();
  const Status status = scene.Run();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(CountOf("warning sink `out` writes event times of 2013-01-01", said), 1U) << said;
  EXPECT_NE(said.find("keeps records for 7d"), std::string::npos) << said;
  EXPECT_NE(said.find("retention.ms=-1"), std::string::npos) << said;
}

TEST(BadSinks, OneThatKeepsItAllIsNot) {
  Scene scene(kCounting);
  scene.job.Fill(std::vector<JobInput>{{"events", 1, {Record(Good("a", "2013-01-01T00:00:00Z"))}}});
  testing::internal::CaptureStderr();
  const Status status = scene.Run();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(said.find("retention"), std::string::npos) << said;
}

}  // namespace
}  // namespace freshet
