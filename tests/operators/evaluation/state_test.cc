// The state of `evaluate` below its operator: tallies past the length of their logs, and histories of labels.
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/evaluation/answers.h"
#include "operators/evaluation/tallies.h"
#include "state/task_store.h"

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

struct Counted {
  std::vector<uint64_t> steps[2] = {std::vector<uint64_t>(Histogram::kSteps),
                                    std::vector<uint64_t>(Histogram::kSteps)};
};

void ExpectHolds(Tallies& tallies, const std::string& key, const Counted& expected) {
  Sums sums;
  Histogram histogram;
  ExpectOk(tallies.AddSums(key, sums));
  ExpectOk(tallies.Apply(Histogram::Change::kAdd, key, histogram));
  uint64_t total = 0;
  for (const bool label : {false, true}) {
    for (size_t step = 0; step < Histogram::kSteps; ++step) {
      const uint64_t count = expected.steps[label][step];
      ASSERT_EQ(histogram.count(label, static_cast<uint16_t>(step)), count) << key << label << step;
      total += count;
    }
  }
  EXPECT_EQ(static_cast<uint64_t>(sums.examples), total);
}

TEST(Tallies, KeepEveryProbabilityPastTheLengthOfTheirLogs) {
  Store store;
  const std::vector<TableSpec> specs = Tallies::Tables(1);
  Tallies tallies(store.Table(specs[0]), store.Table(specs[1]));
  const std::string run = Tallies::Key("s", SpanKind::kRun, 0);
  Counted in_run;
  Random random(1);
  int64_t bucket = 0;
  for (const size_t size : {10U, 200'000U, 65U, 140'000U, 70'000U, 1U}) {
    const std::string key = Tallies::Key("s", SpanKind::kBucket, ++bucket);
    Counted in_bucket;
    for (size_t i = 0; i < size; ++i) {
      const double p = static_cast<double>(random() % 1'000'001) / 1e6;
      const bool label = random() % 3 == 0;
      bool is_new = false;
      const Scored example{p, p > 0.5, label};
      ExpectOk(tallies.Add(key, {&example, 1}, is_new));
      EXPECT_EQ(is_new, i == 0);
      ++in_bucket.steps[label][Histogram::StepOf(p)];
      ++in_run.steps[label][Histogram::StepOf(p)];
    }
    ExpectHolds(tallies, key, in_bucket);
    ExpectOk(tallies.Merge(key, run));
    ExpectHolds(tallies, run, in_run);
    ExpectOk(tallies.Erase(key));
    ExpectHolds(tallies, key, Counted());
  }
}

// Labels in any order of time, asked about at any moment since the horizon.
TEST(Answers, KnowWhatAListKnows) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Store store;
    Answers answers(store.Table(Answers::Table(1)));
    Random random(seed);
    const int64_t disorder = std::vector<int64_t>{0, 5, 300, 3000}[random() % 4];
    const int64_t delay = 100 + static_cast<int64_t>(random() % 1000);
    std::map<std::string, std::vector<std::pair<Time, bool>>> lists;
    Answers::History lasting(true, "b");
    Answers::History passing(false);
    Time now = -2000;
    for (int i = 0; i < 3000; ++i) {
      now += static_cast<Time>(random() % 3);
      const std::string key = random() % 4 == 0 ? "a" : "b";
      const Time time =
          now - (disorder == 0 ? 0 : static_cast<Time>(random() % static_cast<uint64_t>(disorder)));
      const Time horizon = now - delay;
      const bool label = random() % 3 == 0;
      if (random() % 500 == 0) lasting.Begin("b");  // as after a restart
      Answers::History& history = key == "b" ? lasting : passing;
      if (key == "a") history.Begin(key);
      ExpectOk(answers.Add(history, time, label, horizon));
      lists[key].push_back({time, label});
      const Time before = horizon + static_cast<Time>(random() % static_cast<uint64_t>(delay + 20));
      Known expected;
      Time last = kMinTime;
      for (const auto& [t, l] : lists[key]) {
        if (t >= before) continue;
        ++expected.labels;
        expected.positives += l ? 1 : 0;
        if (t >= last) expected.last = l;
        last = std::max(last, t);
      }
      Known known;
      if (key == "a") history.Begin(key);
      ExpectOk(answers.Before(history, before, known));
      ASSERT_EQ(known.labels, expected.labels) << "row " << i;
      ASSERT_EQ(known.positives, expected.positives) << "row " << i;
      ASSERT_EQ(known.last, expected.last) << "row " << i;
    }
  }
}

}  // namespace
}  // namespace freshet
