#include "state/keyed_table.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "tests/harness/temp_dir.h"
#include "tests/state/store_fixture.h"

namespace freshet {
namespace {

constexpr uint32_t kShards = 3;

// A store a shard, with one budget for all.
class KeyedTableTest : public testing::Test {
 protected:
  struct Task {
    std::unique_ptr<TaskStore> store;
    RawTable* table = nullptr;
    Changelog log;
  };

  void Open(const TableSpec& spec = {.name = "rows", .ordered = true}) {
    keyed_.reset();
    std::vector<RawTable*> tables;
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      Task& task = tasks_[shard];
      task.store.reset();
      auto opened = TaskStore::Open(directory_.File(std::to_string(shard)), resources_, budget_);
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      task.store = std::move(*opened);
      auto table = task.store->Declare(spec);
      ASSERT_TRUE(table.ok()) << table.status().message();
      task.table = *table;
      tables.push_back(task.table);
    }
    keyed_ = std::make_unique<KeyedTable>(tables);
  }
  void CommitAndFlush() {
    for (Task& task : tasks_) {
      Commit(*task.store, task.log, ++epoch_);
      ASSERT_TRUE(task.store->Flush().ok());
    }
  }
  uint64_t misses() const {
    uint64_t misses = 0;
    for (const Task& task : tasks_)
      misses += task.store->stats().misses;
    return misses;
  }
  uint64_t evictions() const {
    uint64_t evictions = 0;
    for (const Task& task : tasks_)
      evictions += task.store->stats().evictions;
    return evictions;
  }

  TempDir directory_;
  StoreResources resources_{1 << 20, 1 << 20};
  CacheBudget budget_;
  std::vector<Task> tasks_ = std::vector<Task>(kShards);
  std::unique_ptr<KeyedTable> keyed_;
  uint64_t epoch_ = 0;
};

TEST_F(KeyedTableTest, ARowIsInTheTaskOfItsShardAndInNoOther) {
  Open();
  ShardKeys keys;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    keys.buffer().append("one key");
    keys.EndKey(shard);
  }
  std::vector<KeyedTable::Slot> slots(keys.size());
  ASSERT_TRUE(keyed_->Load(keys, slots).ok());
  keyed_->Edit(slots[1], 1)[0] = '1';
  keyed_->Edit(slots[2], 1)[0] = '2';
  EXPECT_EQ(Value(*tasks_[0].table, "one key"), std::nullopt);
  EXPECT_EQ(Value(*tasks_[1].table, "one key"), "1");
  EXPECT_EQ(Value(*tasks_[2].table, "one key"), "2");
  for (const ChangeRecord& record : CollectAll(*tasks_[0].store))
    EXPECT_EQ(record.key.find("one key"), std::string::npos);
  keyed_->Erase(slots[1]);
  EXPECT_EQ(Value(*tasks_[1].table, "one key"), std::nullopt);
  EXPECT_EQ(Value(*tasks_[2].table, "one key"), "2");
}

TEST_F(KeyedTableTest, RowsThatWereThereBeforeBelongToTheirShardToo) {
  Open();
  std::vector<RawTable*> tables;
  for (const Task& task : tasks_)
    tables.push_back(task.table);
  Put(*tasks_[2].table, "early", "before");
  KeyedTable late(tables);
  KeyedTable::Slot slot;
  ASSERT_TRUE(late.Load({2, "early"}, slot).ok());
  late.Erase(slot);
  EXPECT_EQ(Value(*tasks_[2].table, "early"), std::nullopt);
}

TEST_F(KeyedTableTest, MissesOfABatchAreReadFromEachStoreOnce) {
  Open();
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    for (int i = 0; i < 20; ++i)
      Put(*tasks_[shard].table, "k" + std::to_string(i), std::to_string(shard));
  }
  CommitAndFlush();
  Open();
  ShardKeys keys;
  for (int i = 0; i < 20; ++i) {
    keys.buffer().append("k" + std::to_string(i % 10));  // each twice
    keys.EndKey(static_cast<uint32_t>(i) % 2);           // nothing of the third
  }
  std::vector<KeyedTable::Slot> slots(keys.size());
  ASSERT_TRUE(keyed_->Load(keys, slots).ok());
  EXPECT_EQ(misses(), 10U);
  for (size_t i = 0; i < slots.size(); ++i)
    EXPECT_EQ(slots[i].bytes(), std::to_string(i % 2)) << i;
  ASSERT_TRUE(keyed_->Load(keys, slots).ok());
  EXPECT_EQ(misses(), 10U);
}

TEST_F(KeyedTableTest, ItsEraRisesWithThatOfAnyShard) {
  Open();
  uint64_t era = keyed_->era();
  EXPECT_EQ(keyed_->era(), era);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    ASSERT_TRUE(tasks_[shard].store->Clear().ok());
    EXPECT_GT(keyed_->era(), std::exchange(era, keyed_->era())) << shard;
  }
}

// Beside a map, through loads of all sizes, edits, erasures, commits, evictions and new starts.
TEST_F(KeyedTableTest, IsAMapByShardAndKey) {
  Open();
  budget_.limit = 6'000;  // of some 20,000 that the rows take
  std::map<std::pair<uint32_t, std::string>, std::string> model;
  Random random(7);
  std::vector<KeyedTable::Slot> slots;
  uint64_t read = 0, given_up = 0;
  for (int round = 0; round < 600; ++round) {
    ShardKeys keys;
    std::vector<std::pair<uint32_t, std::string>> asked;
    for (uint64_t i = 0, count = 1 + random.Below(8); i < count; ++i) {
      asked.emplace_back(static_cast<uint32_t>(random.Below(kShards)),
                         "key" + std::to_string(random.Below(60)));
      keys.buffer().append(asked.back().second);
      keys.EndKey(asked.back().first);
    }
    slots.resize(asked.size());
    ASSERT_TRUE(keyed_->Load(keys, slots).ok());
    for (size_t i = 0; i < asked.size(); ++i) {
      const auto found = model.find(asked[i]);
      ASSERT_EQ(slots[i].present(), found != model.end());
      if (found != model.end()) {
        ASSERT_EQ(slots[i].bytes(), found->second);
      }
      if (random.Below(3) == 0) {
        keyed_->Erase(slots[i]);
        model.erase(asked[i]);
      } else {
        const std::string value(random.Below(40), static_cast<char>('a' + random.Below(26)));
        value.copy(keyed_->Edit(slots[i], static_cast<uint32_t>(value.size())), value.size());
        model[asked[i]] = value;
      }
    }
    if (random.Below(4) == 0) CommitAndFlush();
    if (random.Below(40) == 0) {
      read += misses();
      given_up += evictions();
      CommitAndFlush();
      Open();
    }
    budget_.Trim();
  }
  EXPECT_GT(read, 100U);
  EXPECT_GT(given_up, 100U);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    std::map<std::string, std::string> expected;
    for (const auto& [key, value] : model) {
      if (key.first == shard) expected[key.second] = value;
    }
    std::map<std::string, std::string> rows;
    const auto visit = [&](std::string_view key, std::string_view value) {
      return rows.emplace(key, value).second;
    };
    ASSERT_TRUE(keyed_->Scan(shard, {}, {}, visit).ok());
    EXPECT_EQ(rows, expected) << shard;
  }
}

}  // namespace
}  // namespace freshet
