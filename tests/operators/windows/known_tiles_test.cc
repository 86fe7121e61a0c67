#include "operators/windows/known_tiles.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "state/task_store.h"

namespace freshet {
namespace {

class KnownTilesTest : public testing::Test {
 protected:
  void SetUp() override {
    budget_.limit = 64 << 20;
    auto opened = TaskStore::Open("", resources_, budget_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    store_ = std::move(*opened);
    auto table = store_->Declare({.name = "rows"});
    ASSERT_TRUE(table.ok());
    rows_ = *table;
  }
  RawTable::Slot SlotOf(const std::string& key) {
    RawTable::Slot slot;
    EXPECT_TRUE(rows_->Load(key, slot).ok());
    return slot;
  }
  const void* Find(const RawTable::Slot& head, int64_t tile) {
    return known_.Find(head.identity(), tile).identity();
  }

  StoreResources resources_{8 << 20, 8 << 20};
  CacheBudget budget_;
  std::unique_ptr<TaskStore> store_;
  RawTable* rows_ = nullptr;
  KnownTiles known_;
};

TEST_F(KnownTilesTest, FindsWhatWasAddedInThisEraOnly) {
  const RawTable::Slot head = SlotOf("head");
  const RawTable::Slot other = SlotOf("other head");
  known_.Begin(1);
  EXPECT_EQ(Find(head, -3), nullptr);
  known_.Add(head.identity(), -3, SlotOf("tile"));
  EXPECT_EQ(Find(head, -3), SlotOf("tile").identity());
  EXPECT_EQ(Find(head, -2), nullptr);
  EXPECT_EQ(Find(other, -3), nullptr);
  known_.Begin(1);
  EXPECT_NE(Find(head, -3), nullptr);
  known_.Begin(2);
  EXPECT_EQ(Find(head, -3), nullptr);
}

TEST_F(KnownTilesTest, ForgetsWhatWasErased) {
  const RawTable::Slot head = SlotOf("head");
  known_.Begin(1);
  known_.TileErased(head.identity(), 1);
  for (const int64_t tile : {1, 2, 3})
    known_.Add(head.identity(), tile, SlotOf("tile"));
  known_.TileErased(head.identity(), 2);
  EXPECT_NE(Find(head, 1), nullptr);
  EXPECT_EQ(Find(head, 2), nullptr);
  EXPECT_NE(Find(head, 3), nullptr);
  known_.Begin(1);
  EXPECT_NE(Find(head, 1), nullptr);
}

// Far more tiles than it has places for: what it still knows is right, and the last one is known.
TEST_F(KnownTilesTest, ForgetsButNeverMistakes) {
  std::vector<RawTable::Slot> heads;
  for (int i = 0; i < 1000; ++i)
    heads.push_back(SlotOf("head" + std::to_string(i)));
  known_.Begin(7);
  for (int64_t tile = 0; tile < 20; ++tile) {
    for (size_t i = 0; i < heads.size(); ++i) {
      const RawTable::Slot slot = SlotOf(std::to_string(i) + " " + std::to_string(tile));
      known_.Add(heads[i].identity(), tile, slot);
      ASSERT_EQ(Find(heads[i], tile), slot.identity());
    }
  }
  size_t found = 0;
  for (int64_t tile = 0; tile < 20; ++tile) {
    for (size_t i = 0; i < heads.size(); ++i) {
      const void* known = Find(heads[i], tile);
      if (known == nullptr) continue;
      ++found;
      ASSERT_EQ(known, SlotOf(std::to_string(i) + " " + std::to_string(tile)).identity());
    }
  }
  EXPECT_GT(found, 2000U);
}

}  // namespace
}  // namespace freshet
