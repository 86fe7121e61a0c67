// In steady state the tables call malloc no more.
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/state/store_fixture.h"

namespace {
// Of this thread: those of the store below work in the background.
thread_local size_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(size_t bytes) {
  ++allocations;
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) std::abort();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, size_t) noexcept {
  std::free(block);
}

namespace freshet {
namespace {

TEST(Allocation, HitsAndEditsNeedNone) {
  StoreFixture fixture;
  fixture.Open();
  RawTable& table = fixture.Declare({.name = "rows", .ordered = true, .width = 32});
  KeyColumn keys;
  for (int i = 0; i < 100; ++i)
    keys.Add("key" + std::to_string(i));
  std::vector<RawTable::Slot> slots(keys.size());
  Changelog log;
  const auto round = [&] {
    ASSERT_TRUE(table.Load(keys, slots).ok());
    for (RawTable::Slot& slot : slots)
      table.Edit(slot, 32)[0] = 'x';
  };
  for (int i = 0; i < 3; ++i) {
    round();
    Commit(*fixture.store, log);
  }
  round();
  const size_t before = allocations;
  const Pool& memory = fixture.budget.memory;  // where the rows lie
  const auto fresh = memory.fresh_blocks();
  const auto held = memory.held();
  for (int i = 0; i < 100; ++i)
    round();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(memory.fresh_blocks(), fresh);
  EXPECT_EQ(memory.held(), held);
}

// Rows that come and go, epoch by epoch: their memory is used again.
TEST(Allocation, NewRowsUseWhatOldOnesLeft) {
  StoreFixture fixture;
  fixture.Open();
  RawTable& table = fixture.Declare({.name = "rows", .ordered = true, .width = 32});
  std::string key = "key-of-some-length-000";
  uint64_t records = 0;
  const auto epoch = [&](int first) {
    for (int i = first; i < first + 200; ++i) {
      key[key.size() - 1] = static_cast<char>(i % 100);
      key[key.size() - 2] = static_cast<char>(i / 100 % 100);
      RawTable::Slot slot;
      ASSERT_TRUE(table.Load(key, slot).ok());
      slot.present() ? table.Erase(slot) : void(table.Edit(slot, 32));
    }
    ASSERT_TRUE(fixture.store->Collect([&](auto, auto) { return ++records, Status(); }).ok());
    fixture.store->Committed(1, 1);
  };
  for (int i = 0; i < 8; ++i)
    epoch(i % 2 * 200);
  const size_t before = allocations;
  const Pool& memory = fixture.budget.memory;  // where the rows lie
  const auto fresh = memory.fresh_blocks();
  const auto held = memory.held();
  for (int i = 0; i < 20; ++i)
    epoch(i % 2 * 200);
  EXPECT_EQ(memory.fresh_blocks(), fresh);
  EXPECT_EQ(memory.held(), held);
  // A few lists of tables a commit, none a row.
  EXPECT_LE(allocations - before, 20U * 20U);
  EXPECT_GE(records, 20U * 200U);
}

}  // namespace
}  // namespace freshet
