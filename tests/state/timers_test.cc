#include "state/timers.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "tests/harness/temp_dir.h"
#include "tests/state/store_fixture.h"

namespace freshet {
namespace {

std::unique_ptr<TaskTimers> OpenTimers(TaskStore& store) {
  auto timers = TaskTimers::Open(store);
  EXPECT_TRUE(timers.ok()) << timers.status().message();
  return std::move(*timers);
}

std::optional<DueTimer> FirstOf(TaskTimers& timers) {
  auto first = timers.First();
  EXPECT_TRUE(first.ok()) << first.status().message();
  return *first == nullptr ? std::nullopt : std::optional<DueTimer>(**first);
}

TEST(Timers, FireByTimeThenPlaceThenKey) {
  StoreFixture fixture;
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  const std::vector<DueTimer> order = {
      {kMinTime, 3, "z"}, {-5, 0, ""}, {0, 0, "a"},  {0, 0, std::string("a\0", 2)},
      {0, 0, "b"},        {0, 1, ""},  {0, 300, ""}, {kMaxTime, 0, "a"}};
  for (const size_t i : {3U, 0U, 7U, 5U, 1U, 6U, 2U, 4U}) {
    const DueTimer& t = order[i];
    ASSERT_TRUE(timers->Set(t.time, t.place, t.key).ok());
    ASSERT_TRUE(timers->Set(t.time, t.place, t.key).ok());  // twice is once
  }
  for (const DueTimer& expected : order) {
    ASSERT_EQ(FirstOf(*timers), expected);
    ASSERT_TRUE(timers->Pop().ok());
  }
  EXPECT_EQ(FirstOf(*timers), std::nullopt);
  EXPECT_EQ(timers->Pop().code(), Code::kInternal);
}

TEST(Timers, SayWhenTheFirstMayHaveChanged) {
  StoreFixture fixture;
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  std::vector<uint32_t> changed;
  timers->Report(changed, 7);
  const auto reports = [&] {
    timers->Heard();
    FirstOf(*timers);
    return std::exchange(changed, {});
  };
  const std::vector<uint32_t> none, one{7};
  ASSERT_TRUE(timers->Set(10, 0, "not read yet").ok());
  EXPECT_EQ(reports(), one);
  ASSERT_TRUE(timers->Set(20, 0, "later").ok());
  EXPECT_EQ(reports(), none);
  ASSERT_TRUE(timers->Set(5, 0, "sooner").ok());
  ASSERT_TRUE(timers->Set(4, 0, "still sooner").ok());
  EXPECT_EQ(reports(), one) << "once";
  ASSERT_TRUE(timers->Set(4, 0, "still sooner").ok());
  EXPECT_EQ(reports(), none) << "it was set";
  ASSERT_TRUE(timers->Cancel(20, 0, "later").ok());
  EXPECT_EQ(reports(), none);
  ASSERT_TRUE(timers->Cancel(4, 0, "still sooner").ok());
  EXPECT_EQ(reports(), one);
  DueTimer taken;
  ASSERT_TRUE(timers->Pop(&taken).ok());
  EXPECT_EQ(taken, (DueTimer{5, 0, "sooner"}));
  ASSERT_TRUE(timers->Pop().ok());
  EXPECT_EQ(reports(), one) << "nobody asked between";
  ASSERT_EQ(FirstOf(*timers), std::nullopt);
  ASSERT_TRUE(timers->Set(30, 0, "the only one").ok());
  EXPECT_EQ(reports(), one);
}

TEST(Timers, SetAndFiredInOneEpochLeaveNoTrace) {
  StoreFixture fixture;
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  Changelog log;
  Commit(*fixture.store, log);  // the catalog
  ASSERT_EQ(FirstOf(*timers), std::nullopt);
  ASSERT_TRUE(timers->Set(7, 0, "key").ok());
  ASSERT_EQ(FirstOf(*timers), (DueTimer{7, 0, "key"}));
  ASSERT_TRUE(timers->Pop().ok());
  EXPECT_TRUE(CollectAll(*fixture.store).empty());
}

TEST(Timers, OneSetAgainFarAheadCanStillBeCancelled) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  Changelog log;
  for (Time t = 0; t < 3000; ++t)
    ASSERT_TRUE(timers->Set(t, 0, "key").ok());
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.Open();
  timers = OpenTimers(*fixture.store);
  ASSERT_EQ(FirstOf(*timers), (DueTimer{0, 0, "key"}));  // and the next ones; the last is in the store only
  ASSERT_TRUE(timers->Set(2999, 0, "key").ok());
  ASSERT_TRUE(timers->Cancel(2999, 0, "key").ok());
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  Time last = -1;
  for (auto first = FirstOf(*timers); first; first = FirstOf(*timers)) {
    last = first->time;
    ASSERT_TRUE(timers->Pop().ok());
  }
  EXPECT_EQ(last, 2998);
}

TEST(Timers, SetAndCancelledInOneEpochLeaveNoTrace) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  Changelog log;
  ASSERT_TRUE(timers->Set(5, 0, "stored").ok());
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.Open();  // the table's rows are not all in memory any more
  timers = OpenTimers(*fixture.store);
  ASSERT_EQ(FirstOf(*timers), (DueTimer{5, 0, "stored"}));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(timers->Set(3, 0, "key").ok());
    ASSERT_EQ(FirstOf(*timers), (DueTimer{3, 0, "key"}));
    ASSERT_TRUE(timers->Cancel(3, 0, "key").ok());
    ASSERT_EQ(FirstOf(*timers), (DueTimer{5, 0, "stored"}));
  }
  EXPECT_TRUE(CollectAll(*fixture.store).empty());
}

TEST(Timers, CancelledOnesAreForgottenAndMayBeSetAgain) {
  StoreFixture fixture;
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  Changelog log;
  ASSERT_EQ(FirstOf(*timers), std::nullopt);
  ASSERT_TRUE(timers->Set(100'000, 0, "last").ok());
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  for (Time t = 0; t < 20'000; ++t) {
    ASSERT_TRUE(timers->Set(t, 0, "key").ok());
    ASSERT_TRUE(timers->Cancel(t, 0, "key").ok());
    if (t % 1000 == 999) {
      Commit(*fixture.store, log);
      ASSERT_TRUE(fixture.store->Flush().ok());
      ASSERT_LT(fixture.budget.used, 64 << 10) << "none came first, yet their rows go";
    }
  }
  ASSERT_TRUE(timers->Set(7, 0, "key").ok());
  ASSERT_TRUE(timers->Cancel(7, 0, "key").ok());
  ASSERT_TRUE(timers->Set(7, 0, "key").ok());
  ASSERT_EQ(FirstOf(*timers), (DueTimer{7, 0, "key"}));
  ASSERT_TRUE(timers->Pop().ok());
  ASSERT_EQ(FirstOf(*timers), (DueTimer{100'000, 0, "last"}));
  ASSERT_TRUE(timers->Pop().ok());
  ASSERT_EQ(FirstOf(*timers), std::nullopt);
}

TEST(Timers, OfAClearedStoreAreGone) {
  StoreFixture fixture;
  fixture.Open();
  auto timers = OpenTimers(*fixture.store);
  ASSERT_EQ(FirstOf(*timers), std::nullopt);
  ASSERT_TRUE(timers->Set(1, 0, "old").ok());
  ASSERT_EQ(FirstOf(*timers), (DueTimer{1, 0, "old"}));
  ASSERT_TRUE(fixture.store->Clear().ok());
  ASSERT_EQ(FirstOf(*timers), std::nullopt);
  ASSERT_TRUE(timers->Set(2, 0, "new").ok());
  ASSERT_EQ(FirstOf(*timers), (DueTimer{2, 0, "new"}));
}

// However many tasks a lane has, their timers leave room for rows.
TEST(Timers, OfAllTasksTakeAPartOfTheCache) {
  const TempDir directory;
  StoreResources resources(1 << 20, 1 << 20);
  CacheBudget budget;
  budget.limit = 2 << 20;
  std::vector<std::unique_ptr<TaskStore>> stores;
  std::vector<std::unique_ptr<TaskTimers>> timers;
  for (int i = 0; i < 8; ++i) {
    auto opened = TaskStore::Open(directory.File("store" + std::to_string(i)), resources, budget);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    stores.push_back(std::move(*opened));
    timers.push_back(OpenTimers(*stores.back()));
  }
  for (size_t i = 0; i < stores.size(); ++i) {
    Changelog log;
    ASSERT_EQ(FirstOf(*timers[i]), std::nullopt);  // so that those to come are kept
    for (Time t = 0; t < 8'000; ++t)
      ASSERT_TRUE(timers[i]->Set(t, 0, "some key of an operator").ok());
    Commit(*stores[i], log);
    ASSERT_TRUE(stores[i]->Flush().ok());
  }
  budget.limit = 0;  // all that can be given up goes
  budget.Trim();
  EXPECT_LE(budget.used, 2 << 18);
  budget.limit = 2 << 20;
  for (size_t i = 0; i < stores.size(); ++i) {
    for (Time t = 0; t < 3'000; ++t) {
      ASSERT_EQ(FirstOf(*timers[i]), (DueTimer{t, 0, "some key of an operator"}));
      ASSERT_TRUE(timers[i]->Pop().ok());
    }
  }
}

// Against a set, with more timers than are kept in memory, through commits, flushes and crashes.
class TimerHistory {
 public:
  TimerHistory(uint64_t seed, std::string directory, uint64_t many) : random_(seed), many_(many) {
    store_.directory = std::move(directory);
    store_.budget.limit = 100'000;
    Reopen();
  }
  void Step() {
    switch (random_.Below(16)) {
      case 0:
        return CommitNow();
      case 1:
        return random_.Chance(0.1) ? Reopen() : CommitNow();
      case 2:
      case 3:
        return Fire();
      case 4:
        return Cancel();
      case 5:
      case 6:
        return CancelMany();
      default:
        return SetSome();
    }
  }
  void FireAll() {
    while (!now_.empty()) {
      Fire();
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_EQ(FirstOf(*timers_), std::nullopt);
  }

 private:
  DueTimer Any() {
    const auto near = static_cast<int64_t>(random_.Below(100'000));
    return {clock_ + near, static_cast<uint32_t>(random_.Below(3)), std::string(random_.Below(20), 'k')};
  }
  void SetSome() {
    for (uint64_t n = random_.Below(many_); n > 0; --n) {
      const DueTimer timer = Any();
      ASSERT_TRUE(timers_->Set(timer.time, timer.place, timer.key).ok());
      now_.insert(timer);
    }
  }
  void Cancel() {
    DueTimer timer = Any();
    const auto near = now_.lower_bound(timer);
    if (near != now_.end() && random_.Chance(0.8)) timer = *near;
    ASSERT_TRUE(timers_->Cancel(timer.time, timer.place, timer.key).ok());
    now_.erase(timer);
  }
  // Most of those in a stretch of time; some are set again.
  void CancelMany() {
    std::vector<DueTimer> some(now_.lower_bound(Any()), now_.end());
    if (some.size() > many_) some.resize(many_);
    for (const DueTimer& timer : some) {
      if (random_.Chance(0.1)) continue;
      ASSERT_TRUE(timers_->Cancel(timer.time, timer.place, timer.key).ok());
      now_.erase(timer);
    }
    for (const DueTimer& timer : some) {
      if (random_.Chance(0.7)) continue;
      ASSERT_TRUE(timers_->Set(timer.time, timer.place, timer.key).ok());
      now_.insert(timer);
    }
    if (random_.Chance(0.3)) store_.budget.Trim();
  }
  void Fire() {
    for (uint64_t n = random_.Below(2 * many_) + 1; n > 0 && !now_.empty(); --n) {
      ASSERT_EQ(FirstOf(*timers_), *now_.begin());
      ASSERT_TRUE(timers_->Pop().ok());
      clock_ = now_.begin()->time;
      now_.erase(now_.begin());
      // A timer set while one fires, perhaps due at once.
      if (random_.Chance(0.1)) {
        ASSERT_TRUE(timers_->Set(clock_, 9, "again").ok());
        now_.insert({clock_, 9, "again"});
      }
    }
    if (now_.empty()) {
      ASSERT_EQ(FirstOf(*timers_), std::nullopt);
    }
  }
  void CommitNow() {
    Commit(*store_.store, log_);
    committed_ = now_;
    committed_clock_ = clock_;
    if (random_.Chance(0.5)) {
      ASSERT_TRUE(store_.store->Flush().ok());
    }
  }
  void Reopen() {
    timers_.reset();
    store_.Open();
    timers_ = OpenTimers(*store_.store);
    Restore(*store_.store, log_);
    now_ = committed_;
    clock_ = committed_clock_;
  }

  Random random_;
  uint64_t many_;
  StoreFixture store_;
  std::unique_ptr<TaskTimers> timers_;
  Changelog log_;
  std::set<DueTimer> now_, committed_;
  Time clock_ = 0, committed_clock_ = 0;
};

void RunHistory(uint64_t seed, const std::string& directory, uint64_t many, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  TimerHistory history(seed, directory, many);
  for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i)
    history.Step();
  if (!testing::Test::HasFatalFailure()) history.FireAll();
}

TEST(Timers, FewInMemory) {
  for (uint64_t seed = 1; seed <= 200 && !HasFatalFailure(); ++seed)
    RunHistory(seed, "", 8, 100);
}

TEST(Timers, FewOnDisk) {
  for (uint64_t seed = 1; seed <= 15 && !HasFatalFailure(); ++seed) {
    const TempDir directory;
    RunHistory(seed, directory.File("store"), 8, 100);
  }
}

TEST(Timers, MoreThanAreKeptInMemory) {
  for (uint64_t seed = 1; seed <= 6 && !HasFatalFailure(); ++seed) {
    const TempDir directory;
    RunHistory(seed, seed % 3 == 0 ? "" : directory.File("store"), 1500, 60);
  }
}

}  // namespace
}  // namespace freshet
