// The state of `evaluate` below its operator: tallies past the length of their logs, and histories of labels.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/evaluation/answers.h"
#include "operators/evaluation/example_log.h"
#include "operators/evaluation/tallies.h"
#include "state/task_store.h"
#include "tests/harness/temp_dir.h"
#include "tests/state/store_fixture.h"

namespace freshet {
namespace {

using Random = std::mt19937_64;

// Tables of a store in memory.
class Store {
 public:
  Store() {
    auto opened = TaskStore::Open("", resources_, budget_);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    store_ = std::move(*opened);
    budget_.limit = 64 << 20;
  }
  RawTable& Table(const TableSpec& spec) {
    auto table = store_->Declare(spec);
    EXPECT_TRUE(table.ok()) << table.status().message();
    return **table;
  }

 private:
  StoreResources resources_{8 << 20, 8 << 20};
  CacheBudget budget_;
  std::unique_ptr<TaskStore> store_;
};

// A store whose rows all leave memory when it commits, and rows of another kind come instead.
class ForgetfulStore {
 public:
  ForgetfulStore() : fixture_(directory_.File("store")) {
    fixture_.Open();
    fixture_.budget.limit = 64 << 20;
  }
  RawTable& Table(const TableSpec& spec) {
    table_ = &fixture_.Declare(spec);
    return *table_;
  }
  void Commit() {
    freshet::Commit(*fixture_.store, log_);
    ASSERT_TRUE(fixture_.store->Flush().ok());
    fixture_.budget.limit = 0;
    for (int rounds = 0; rounds < 3; ++rounds)
      fixture_.budget.Trim();
    fixture_.budget.limit = 64 << 20;
    others_.push_back("other" + std::to_string(others_.size()));
    Put(*table_, others_.back(), others_.back());
  }
  void ExpectOthersWhole() {
    for (const std::string& other : others_)
      ASSERT_EQ(Value(*table_, other), other);
  }

 private:
  const TempDir directory_;
  StoreFixture fixture_;
  RawTable* table_ = nullptr;
  Changelog log_;
  std::vector<std::string> others_;
};

void ExpectOk(const Status& status) {
  ASSERT_TRUE(status.ok()) << status.message();
}

TEST(Histogram, AucOfHandComputedCases) {
  Histogram histogram;
  EXPECT_FALSE(histogram.RocAuc());
  histogram.Add(true, Histogram::StepOf(0.9));
  EXPECT_FALSE(histogram.RocAuc());
  histogram.Add(false, Histogram::StepOf(0.1));
  EXPECT_EQ(histogram.RocAuc(), 1.0);
  histogram.Add(false, Histogram::StepOf(0.9));
  EXPECT_EQ(histogram.RocAuc(), 0.75);
  histogram.Add(false, Histogram::StepOf(1.0));
  EXPECT_EQ(histogram.RocAuc(), 0.5);
  EXPECT_EQ(Histogram::StepOf(1.0), 65535);
  EXPECT_EQ(Histogram::StepOf(0.0), 0);
}

// Examples that come and go, one by one and many of a step at once, against a count of all pairs.
TEST(Histogram, AucAsFromAllPairsWhateverCameAndWent) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    Histogram histogram;
    std::map<uint16_t, uint64_t> counts[2];
    const auto apply = [&](bool label, uint16_t step, uint64_t times) {
      const std::vector<uint64_t> block = {0, times};
      const auto first = static_cast<size_t>(step) - 1;
      uint64_t& count = counts[label][step];
      if (count >= times && random() % 2 == 0) {
        histogram.Apply(Histogram::Change::kTakeAway, label, first, block);
        count -= times;
      } else {
        histogram.Apply(Histogram::Change::kAdd, label, first, block);
        count += times;
      }
    };
    const uint64_t width = std::vector<uint64_t>{3, 40, 65'535}[seed % 3];
    for (int round = 0; round < 30; ++round) {
      for (int i = 0; i < 20; ++i)
        apply(random() % 3 == 0, static_cast<uint16_t>(1 + random() % width), 1 + random() % 4);
      double won = 0;
      double pairs = 0;
      for (const auto& [positive, times] : counts[1]) {
        for (const auto& [negative, others] : counts[0]) {
          const auto of_both = static_cast<double>(times * others);
          pairs += of_both;
          won += positive > negative ? of_both : positive == negative ? of_both / 2 : 0;
        }
      }
      const std::optional<double> auc = histogram.RocAuc();
      ASSERT_EQ(auc.has_value(), pairs > 0) << seed;
      if (auc) {
        ASSERT_EQ(*auc, won / pairs) << seed << " round " << round;
      }
    }
    histogram.Clear();
    EXPECT_FALSE(histogram.RocAuc());
    histogram.Add(true, 1);
    histogram.Add(false, 1);
    histogram.Add(false, 0);
    EXPECT_EQ(histogram.RocAuc(), 0.75);
    EXPECT_EQ(histogram.count(false, 1), 1U);
  }
}

// More examples than 32 bits count, in one step and in all, and back again.
TEST(Histogram, CountsAndAucBeyond32Bits) {
  Histogram histogram;
  const std::vector<uint64_t> many = {uint64_t{5} << 32, 3, 0, (uint64_t{1} << 32) - 1};
  const std::vector<uint64_t> few = {0, 3, 0, 1};
  histogram.Apply(Histogram::Change::kAdd, false, 0, many);
  histogram.Apply(Histogram::Change::kAdd, true, 0, many);
  histogram.Add(true, 3);
  EXPECT_EQ(histogram.count(false, 0), uint64_t{5} << 32);
  EXPECT_EQ(histogram.count(true, 3), uint64_t{1} << 32);
  EXPECT_NEAR(*histogram.RocAuc(), 0.5, 1e-9);
  histogram.Apply(Histogram::Change::kTakeAway, false, 0, many);
  histogram.Apply(Histogram::Change::kAdd, false, 0, few);
  EXPECT_EQ(histogram.count(false, 0), 0U);
  EXPECT_NEAR(*histogram.RocAuc(), (0.25 * 1 / 6) * (0.5 + 3), 1e-9);
  histogram.Apply(Histogram::Change::kTakeAway, true, 0, many);
  histogram.Add(true, 1);
  EXPECT_EQ(histogram.count(true, 3), 1U);
  EXPECT_EQ(histogram.RocAuc(), (1.5 + 3.5) / 8);
}

using Read = std::vector<std::pair<std::string, std::vector<double>>>;
Read ReadAll(ExampleLog& log, Time bucket) {
  Read read;
  ExpectOk(log.Visit(bucket, [&](std::string_view series, std::span<const Scored> examples) -> Status {
    read.push_back({std::string(series), {}});
    for (const Scored& example : examples) {
      EXPECT_EQ(example.answer, example.probability > 0.3);
      EXPECT_EQ(example.label, example.probability > 0.6);
      read.back().second.push_back(example.probability);
    }
    return {};
  }));
  return read;
}

TEST(ExampleLog, AJobThatMeasuresOtherSeriesReadsWhatIsThere) {
  Store store;
  RawTable& table = store.Table(ExampleLog::Table(1));
  ExampleLog::Outcome outcome{};
  const auto add = [&](ExampleLog& log, double a, double b) {
    const std::vector<Guess> guesses = {{a, a > 0.3, a >= 0}, {b, b > 0.3, b >= 0}};
    ExpectOk(log.Add(7, std::max(a, b) > 0.6, guesses, outcome));
  };
  const std::vector<std::string> first = {"a", "b"};
  ExampleLog before(table, first);
  add(before, 0.2, 0.5);
  EXPECT_EQ(outcome, ExampleLog::Outcome::kFirst);
  add(before, 0.9, -1);
  EXPECT_EQ(outcome, ExampleLog::Outcome::kAdded);
  const std::vector<std::string> second = {"b", "c"};
  ExampleLog after(table, second);
  add(after, 0.4, 0.5);
  EXPECT_EQ(outcome, ExampleLog::Outcome::kOther);
  EXPECT_EQ(ReadAll(after, 7), (Read{{"a", {0.2, 0.9}}, {"b", {0.5}}}));
  ExpectOk(after.Empty(7));
  EXPECT_TRUE(ReadAll(after, 7).empty());
  for (size_t i = 1; i <= ExampleLog::kMost; ++i) {
    add(after, 0.4, 0.5);
    EXPECT_EQ(outcome == ExampleLog::Outcome::kFull, i == ExampleLog::kMost) << i;
  }
  const std::vector<double> b(ExampleLog::kMost, 0.4), c(ExampleLog::kMost, 0.5);
  EXPECT_EQ(ReadAll(after, 7), (Read{{"b", b}, {"c", c}}));
  std::vector<Time> buckets;
  ExpectOk(after.Buckets(buckets));
  EXPECT_EQ(buckets, (std::vector<Time>{7}));
  ExpectOk(after.Erase(7));
  ExpectOk(after.Buckets(buckets));
  EXPECT_TRUE(buckets.empty());
}

TEST(ExampleLog, GoesOnWithARowThatLeftMemory) {
  ForgetfulStore store;
  RawTable& table = store.Table({"examples", 1, false, 0});
  const std::vector<std::string> series = {"a"};
  ExampleLog log(table, series);
  std::vector<double> expected;
  for (size_t i = 0; i < 40; ++i) {
    const double probability = static_cast<double>(i) / 40;
    const Guess guess{probability, probability > 0.3, true};
    ExampleLog::Outcome outcome{};
    ExpectOk(log.Add(7, probability > 0.6, {&guess, 1}, outcome));
    EXPECT_EQ(outcome, i == 0 ? ExampleLog::Outcome::kFirst : ExampleLog::Outcome::kAdded) << i;
    expected.push_back(probability);
    if (i % 5 == 4) store.Commit();
  }
  EXPECT_EQ(ReadAll(log, 7), (Read{{"a", expected}}));
  store.ExpectOthersWhole();
}

// The row that comes after one that was erased is a new one, also where another table row lies by now where
// that one lay.
TEST(ExampleLog, AnErasedBucketBeginsAnew) {
  for (const bool saved : {false, true}) {
    for (const bool leaves : {false, true}) {
      SCOPED_TRACE((saved ? "saved, " : "never saved, ") + std::string(leaves ? "left memory" : "stayed"));
      ForgetfulStore store;
      RawTable& table = store.Table({"examples", 1, true, 0});
      const std::vector<std::string> series = {"a"};
      ExampleLog log(table, series);
      ExampleLog::Outcome outcome{};
      const auto add = [&](double probability) {
        const Guess guess{probability, probability > 0.3, true};
        ExpectOk(log.Add(7, probability > 0.6, {&guess, 1}, outcome));
      };
      add(0.2);
      EXPECT_EQ(outcome, ExampleLog::Outcome::kFirst);
      if (saved) store.Commit();
      add(0.4);
      EXPECT_EQ(outcome, ExampleLog::Outcome::kAdded);
      ExpectOk(log.Erase(7));
      if (leaves) store.Commit();
      add(0.8);
      EXPECT_EQ(outcome, ExampleLog::Outcome::kFirst);
      add(0.5);
      EXPECT_EQ(outcome, ExampleLog::Outcome::kAdded);
      EXPECT_EQ(ReadAll(log, 7), (Read{{"a", {0.8, 0.5}}}));
      store.ExpectOthersWhole();
    }
  }
}

struct Counted {
  std::vector<uint64_t> steps[2] = {std::vector<uint64_t>(Histogram::kSteps),
                                    std::vector<uint64_t>(Histogram::kSteps)};
};

void ExpectHolds(Tallies& tallies, const TallyId& id, const Counted& expected) {
  Sums sums;
  Histogram histogram;
  ExpectOk(tallies.AddSums(id, sums));
  ExpectOk(tallies.Apply(Histogram::Change::kAdd, id, histogram));
  uint64_t total = 0;
  for (const bool label : {false, true}) {
    for (size_t step = 0; step < Histogram::kSteps; ++step) {
      const uint64_t count = expected.steps[label][step];
      ASSERT_EQ(histogram.count(label, static_cast<uint16_t>(step)), count) << id.start << label << step;
      total += count;
    }
  }
  EXPECT_EQ(static_cast<uint64_t>(sums.examples), total);
}

TEST(Tallies, KeepEveryProbabilityPastTheLengthOfTheirLogs) {
  Store store;
  const std::vector<TableSpec> specs = Tallies::Tables(1);
  Tallies tallies(store.Table(specs[0]), store.Table(specs[1]));
  const TallyId run{"s", SpanKind::kRun, 0};
  Counted in_run;
  Random random(1);
  int64_t bucket = 0;
  for (const size_t size : {10U, 200'000U, 65U, 140'000U, 70'000U, 1U}) {
    const TallyId id{"s", SpanKind::kBucket, ++bucket};
    Counted in_bucket;
    for (size_t i = 0; i < size; ++i) {
      const double p = static_cast<double>(random() % 1'000'001) / 1e6;
      const bool label = random() % 3 == 0;
      bool is_new = false;
      const Scored example{p, p > 0.5, label};
      ExpectOk(tallies.Add(id, {&example, 1}, is_new));
      EXPECT_EQ(is_new, i == 0);
      ++in_bucket.steps[label][Histogram::StepOf(p)];
      ++in_run.steps[label][Histogram::StepOf(p)];
    }
    ExpectHolds(tallies, id, in_bucket);
    ExpectOk(tallies.Merge(id, run));
    ExpectHolds(tallies, run, in_run);
    ExpectOk(tallies.Erase(id));
    ExpectHolds(tallies, id, Counted());
  }
}

using Labels = std::vector<std::pair<Time, bool>>;
Known KnownOf(const Labels& labels, Time before) {
  Known known;
  Time last = kMinTime;
  for (const auto& [time, label] : labels) {
    if (time >= before) continue;
    ++known.labels;
    known.positives += label ? 1 : 0;
    if (time >= last) known.last = label;
    last = std::max(last, time);
  }
  return known;
}

// Labels in any order of time, asked about at any moment since the horizon: before a label is added, as
// baselines do it, and after; rows leave memory now and then.
TEST(Answers, KnowWhatAListKnows) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    ForgetfulStore store;
    Answers answers(store.Table(Answers::Table(1)));
    Random random(seed);
    const int64_t disorder = std::vector<int64_t>{0, 5, 300, 3000}[random() % 4];
    const int64_t delay = 100 + static_cast<int64_t>(random() % 1000);
    std::map<std::string, Labels> lists;
    Answers::History lasting(true, "b");
    Answers::History passing(false);
    Time now = -2000;
    for (int i = 0; i < 3000; ++i) {
      now += static_cast<Time>(random() % 3);
      const std::string key = std::vector<std::string>{"a", "b", "b", "c"}[random() % 4];
      const Time time =
          now - (disorder == 0 ? 0 : static_cast<Time>(random() % static_cast<uint64_t>(disorder)));
      const Time horizon = now - delay;
      const bool label = random() % 3 == 0;
      if (random() % 500 == 0) lasting.Begin("b");  // as after a restart
      const bool commits = random() % 300 == 0;
      if (commits) store.Commit();
      if (commits || random() % 3 == 0) answers.BeginBatch();
      Answers::History& history = key == "b" ? lasting : passing;
      const auto moment = [&] {
        return horizon + static_cast<Time>(random() % static_cast<uint64_t>(delay + 20));
      };
      if (key != "b") history.Begin(key);
      for (uint64_t questions = random() % 3; questions > 0; --questions) {
        const Time before = moment();
        std::optional<bool> last;
        ExpectOk(answers.LastBefore(history, before, last));
        ASSERT_EQ(last, KnownOf(lists[key], before).last) << "row " << i;
      }
      ExpectOk(answers.Add(history, time, label, horizon));
      lists[key].push_back({time, label});
      const Time before = moment();
      const Known expected = KnownOf(lists[key], before);
      Known known;
      if (key != "b") history.Begin(key);
      ExpectOk(answers.Before(history, before, known));
      ASSERT_EQ(known.labels, expected.labels) << "row " << i;
      ASSERT_EQ(known.positives, expected.positives) << "row " << i;
      ASSERT_EQ(known.last, expected.last) << "row " << i;
    }
    store.ExpectOthersWhole();
  }
}

TEST(Answers, GoOnWithRowsThatLeftMemory) {
  ForgetfulStore store;
  Answers answers(store.Table(Answers::Table(1)));
  Answers::History history(true, "a");
  Labels labels;
  for (Time time = 0; time < 400; ++time) {
    answers.BeginBatch();
    ExpectOk(answers.Add(history, time, time % 3 == 0, time - 500));
    labels.push_back({time, time % 3 == 0});
    if (time % 7 == 0) store.Commit();
  }
  for (int life = 0; life < 2; ++life) {
    answers.BeginBatch();
    for (const Time before : {0, 30, 64, 200, 390, 400}) {
      Known known;
      ExpectOk(answers.Before(history, before, known));
      EXPECT_EQ(known.labels, KnownOf(labels, before).labels);
      EXPECT_EQ(known.positives, KnownOf(labels, before).positives);
    }
    history.Begin("a");
  }
  store.ExpectOthersWhole();
}

// A label older than all the others becomes the first of the oldest chunk.
TEST(Answers, TheOldestLabelMayComeLast) {
  Store store;
  Answers answers(store.Table(Answers::Table(1)));
  Answers::History history(true, "a");
  for (Time time = 1000; time < 1300; ++time)
    ExpectOk(answers.Add(history, time, false, 0));
  ExpectOk(answers.Add(history, 500, true, 0));
  for (int life = 0; life < 2; ++life) {
    Known known;
    ExpectOk(answers.Before(history, 600, known));
    EXPECT_EQ(known.labels, 1);
    EXPECT_EQ(known.positives, 1);
    ExpectOk(answers.Before(history, 1200, known));
    EXPECT_EQ(known.labels, 201);
    EXPECT_EQ(known.positives, 1);
    history.Begin("a");
  }
}

}  // namespace
}  // namespace freshet
