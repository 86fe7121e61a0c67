#include "state/table.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/bytes.h"
#include "tests/harness/temp_dir.h"
#include "tests/state/store_fixture.h"

namespace freshet {
namespace {

struct Total {
  int64_t count = 0;
  double sum = 0;
};

const TableSpec kTotals = {.name = "totals", .width = sizeof(Total)};
const TableSpec kOrdered = {.name = "ordered", .ordered = true};

std::string Numbered(int i) {
  return "key" + std::to_string(100'000 + i);
}

TEST(Table, TwoRowsOfABatchWithOneKeySeeEachOther) {
  StoreFixture fixture;
  fixture.Open();
  Table<Total> table(fixture.Declare(kTotals));
  KeyColumn keys;
  for (const char* key : {"a", "b", "a"})
    keys.Add(key);
  std::vector<Table<Total>::Slot> slots;
  ASSERT_TRUE(table.Load(keys, slots).ok());
  for (auto& slot : slots) {
    Total total = slot.GetOr({});
    ++total.count;
    table.Put(slot, total);
  }
  EXPECT_EQ(slots[0].Get().count, 2);
  EXPECT_EQ(slots[1].Get().count, 1);
  table.Erase(slots[0]);
  EXPECT_FALSE(slots[2].present());
}

// --- what is read from the store ---

TEST(Table, ATableThatBeganEmptyIsNeverReadFromTheStore) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  Changelog log;
  for (int i = 0; i < 1000; ++i)
    Put(table, Numbered(i), "value");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  for (int i = 0; i < 2000; ++i)
    ASSERT_EQ(Value(table, Numbered(i)).has_value(), i < 1000);
  EXPECT_EQ(Rows(table).size(), 1000U);
  EXPECT_EQ(fixture.store->stats().misses, 0U);
}

TEST(Table, AnAbsentKeyIsReadOnce) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  Changelog log;
  Put(fixture.Declare(kOrdered), "there", "value");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  KeyColumn keys;
  for (const char* key : {"absent", "there", "absent"})
    keys.Add(key);
  std::vector<RawTable::Slot> slots(3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(table.Load(keys, slots).ok());
    EXPECT_FALSE(slots[0].present());
    EXPECT_EQ(slots[1].bytes(), "value");
  }
  EXPECT_EQ(fixture.store->stats().misses, 2U);
}

// --- scratch ---

const TableSpec kScratched{.name = "scratched", .width = 8, .scratch = 24};

std::string Scratch(RawTable& table, std::string_view key) {
  const RawTable::Slot slot = Loaded(table, key);
  return slot.present() ? std::string(slot.scratch(), kScratched.scratch) : "absent";
}

void SetScratch(RawTable& table, std::string_view key) {
  std::memset(Loaded(table, key).scratch(), 's', kScratched.scratch);
}

TEST(TableScratch, LivesAsLongAsItsRowStaysInMemory) {
  const std::string none(kScratched.scratch, '\0');
  const std::string set(kScratched.scratch, 's');
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& table = fixture.Declare(kScratched);
  Changelog log;
  Put(table, "key", "value__1");
  EXPECT_EQ(Scratch(table, "key"), none);
  SetScratch(table, "key");
  Put(table, "key", "value__2");
  Commit(*fixture.store, log);
  ASSERT_EQ(log.back().value, "value__2") << "scratch is no part of the value";
  Put(table, "key", "value__3");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  EXPECT_EQ(Scratch(table, "key"), set);
  EXPECT_EQ(Value(table, "key"), "value__3");

  EraseKey(table, "key");
  Put(table, "key", "value__4");
  EXPECT_EQ(Scratch(table, "key"), none) << "another row of the same key";
  SetScratch(table, "key");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());

  fixture.budget.limit = 0;
  fixture.budget.Trim();
  fixture.budget.Trim();
  EXPECT_EQ(Scratch(table, "key"), none) << "read anew";
  EXPECT_EQ(Value(table, "key"), "value__4");
}

TEST(TableScratch, ComesToRowsThatWereThereBeforeItsTableWasDeclared) {
  StoreFixture first;
  first.Open();
  RawTable& table = first.Declare(kScratched);
  constexpr int kRows = 100;
  for (int i = 0; i < kRows; ++i)
    Put(table, Numbered(i), "value__1");
  Changelog log;
  Commit(*first.store, log);

  StoreFixture second;
  second.Open();
  Restore(*second.store, log);
  RawTable& restored = second.Declare(kScratched);
  for (int i = 0; i < kRows; ++i) {
    ASSERT_EQ(Scratch(restored, Numbered(i)), std::string(kScratched.scratch, '\0'));
    SetScratch(restored, Numbered(i));
  }
  for (int i = 0; i < kRows; ++i)
    ASSERT_EQ(Value(restored, Numbered(i)), "value__1");
}

// --- the budget ---

TEST(Table, MoreRowsThanMemoryHolds) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.budget.limit = 200'000;
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  constexpr int kRows = 30'000;
  Changelog log;
  for (int first = 0; first < kRows; first += 500) {
    for (int i = first; i < first + 500; ++i)
      Put(table, Numbered(i), std::string(200, 'v') + std::to_string(i));
    Commit(*fixture.store, log);
    ASSERT_TRUE(fixture.store->Flush().ok());
    ASSERT_EQ(fixture.budget.pinned, 0);
    ASSERT_LE(fixture.budget.used, fixture.budget.limit);
  }
  EXPECT_GT(fixture.store->stats().evictions, 20'000U);
  for (int i = 0; i < kRows; i += 7) {
    ASSERT_EQ(Value(table, Numbered(i)), std::string(200, 'v') + std::to_string(i));
    fixture.budget.Trim();
    ASSERT_LE(fixture.budget.used, fixture.budget.limit);
  }
  EXPECT_EQ(Rows(table).size(), static_cast<size_t>(kRows));
}

TEST(Table, RowsInUseStayAndTheOthersGo) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& busy = fixture.Declare({.name = "busy"});
  RawTable& idle = fixture.Declare({.name = "idle"});
  for (int i = 0; i < 300; ++i) {
    Put(busy, Numbered(i), "value");
    Put(idle, Numbered(i), "value");
  }
  Changelog log;
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.budget.limit = fixture.budget.used * 3 / 5;
  for (int i = 0; i < 300; ++i)
    Loaded(busy, Numbered(i));  // another asks, though idle's rows came last
  fixture.budget.Trim();
  fixture.budget.limit *= 2;
  const uint64_t before = fixture.store->stats().misses;
  for (int i = 0; i < 300; ++i)
    Loaded(busy, Numbered(i));
  EXPECT_EQ(fixture.store->stats().misses, before);
  for (int i = 0; i < 300; ++i)
    ASSERT_EQ(Value(idle, Numbered(i)), "value");
  EXPECT_GE(fixture.store->stats().misses, before + 200);
}

TEST(Table, ARowErasedButStillStoredStaysHiddenWhenOthersAreGivenUp) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  Changelog log;
  for (const char* key : {"a", "b", "c"})
    Put(table, key, "value");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  EraseKey(table, "b");
  fixture.budget.limit = 0;
  fixture.budget.Trim();
  const std::map<std::string, std::string> expected = {{"a", "value"}, {"c", "value"}};
  EXPECT_EQ(Rows(table), expected);
  Commit(*fixture.store, log);
  EXPECT_EQ(Rows(table), expected);
}

TEST(Table, SlotsOutliveOtherLoadsAndGrowth) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.budget.limit = 0;
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  RawTable& other = fixture.Declare({.name = "other"});
  Put(table, "first", "1");
  const RawTable::Slot first = Loaded(table, "first");
  for (int i = 0; i < 10'000; ++i)
    Put(i % 2 == 0 ? table : other, Numbered(i), "value");
  Put(table, "first", std::string(5000, 'x'));
  EXPECT_EQ(first.bytes(), std::string(5000, 'x'));
}

// --- the order of encoded keys ---

template <class T>
void ExpectScanOrder(const std::vector<T>& ascending) {
  for (const bool on_disk : {false, true}) {
    const TempDir directory;
    StoreFixture fixture(on_disk ? directory.File("store") : "");
    fixture.Open();
    RawTable* table = &fixture.Declare(kOrdered);
    Changelog log;
    for (size_t i = 0; i < ascending.size(); ++i) {
      const size_t shuffled = i * 7 % ascending.size();
      std::string key;
      AppendOrdered(ascending[shuffled], key);
      Put(*table, key, std::to_string(shuffled));
    }
    Commit(*fixture.store, log);
    ASSERT_TRUE(fixture.store->Flush().ok());
    if (on_disk) {
      fixture.Open();
      table = &fixture.Declare(kOrdered);
    }
    size_t next = 0;
    ASSERT_TRUE(table
                    ->Scan({}, {},
                           [&](auto, std::string_view value) {
                             EXPECT_EQ(value, std::to_string(next++));
                             return true;
                           })
                    .ok());
    EXPECT_EQ(next, ascending.size());
  }
}

TEST(TableOrder, Integers) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  ExpectScanOrder<int64_t>(
      {kLeast, kLeast + 1, -256, -1, 0, 1, 255, 256, 1'700'000'000'000'000, -(kLeast + 1)});
}

TEST(TableOrder, Floats) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double least = std::numeric_limits<double>::denorm_min();
  ExpectScanOrder<double>(
      {-infinity, -1e300, -1.5, -least, 0.0, least, 1.5, 2, 1e300, infinity, std::nan("")});
}

TEST(TableOrder, Booleans) {
  ExpectScanOrder<bool>({false, true});
}

TEST(TableOrder, Strings) {
  ExpectScanOrder<std::string_view>({"", std::string_view("\0", 1), std::string_view("\0\0", 2),
                                     std::string_view("\0\1", 2), "\1", "a", std::string_view("a\0", 2),
                                     std::string_view("a\0b", 3), "aa", "b", "\xc3\xa9", "\xff", "\xff\xff"});
}

TEST(TableOrder, CompositeKeysKeepTheirFieldsApart) {
  StoreFixture fixture;
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  const std::vector<std::pair<std::string, int64_t>> ascending = {
      {"", 5}, {"a", -1}, {"a", 3}, {std::string("a\0", 2), -7}, {"ab", 0}};
  for (const size_t i : {3U, 0U, 4U, 2U, 1U}) {
    std::string key;
    AppendOrderedPresent(key);
    AppendOrdered(std::string_view(ascending[i].first), key);
    AppendOrdered(ascending[i].second, key);
    Put(table, key, std::to_string(i));
  }
  std::string null;
  AppendOrderedNull(null);
  AppendOrdered(int64_t{9}, null);
  Put(table, null, "null");
  std::string order;
  ASSERT_TRUE(table.Scan({}, {}, [&](auto, std::string_view value) { return order += value, true; }).ok());
  EXPECT_EQ(order, "null01234");
  // All rows of one entity: its encoding is a prefix of theirs and of no other's.
  std::string entity;
  AppendOrderedPresent(entity);
  AppendOrdered(std::string_view("a"), entity);
  EXPECT_EQ(Rows(table, entity, PrefixEnd(entity)).size(), 2U);
}

// Scans after few and after many rows have come and gone, while the table is all in memory and when it is
// not.
TEST(TableOrder, ScansShowWhatIsThereHoweverRarely) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  Changelog log;
  std::map<std::string, std::string> expected;
  int next = 0;
  RawTable* table = &fixture.Declare(kOrdered);
  for (const int changes : {0, 1, 3, 200, 2, 5000, 1, 40, 700}) {
    for (int i = 0; i < changes; ++i) {
      const std::string key = Numbered(next++ * 7919 % 1000);
      if (expected.erase(key) > 0) {
        RawTable::Slot slot = Loaded(*table, key);
        table->Erase(slot);
      } else {
        expected[key] = std::to_string(next);
        Put(*table, key, expected[key]);
      }
      if (i % 300 == 299) Commit(*fixture.store, log);
    }
    std::map<std::string, std::string> found;
    std::string last;
    ASSERT_TRUE(table
                    ->Scan({}, {},
                           [&](std::string_view key, std::string_view value) {
                             EXPECT_TRUE(found.empty() || last < key);
                             last = key;
                             return found[last] = value, true;
                           })
                    .ok());
    EXPECT_EQ(found, expected) << changes;
    Commit(*fixture.store, log);
    if (changes % 2 != 0) continue;
    ASSERT_TRUE(fixture.store->Flush().ok());
    if (changes != 5000) continue;
    fixture.Open();  // from here on, there are rows in the store only
    table = &fixture.Declare(kOrdered);
  }
}

TEST(TableOrder, OnlyOrderedTablesAreScanned) {
  StoreFixture fixture;
  fixture.Open();
  RawTable& table = fixture.Declare(kTotals);
  EXPECT_EQ(table.Scan({}, {}, [](auto, auto) { return true; }).code(), Code::kInternal);
}

// While the era stands, slots of earlier epochs are as good as new ones.
TEST(TableEra, StandsUntilTheSlotOfAPresentRowIsVoid) {
  StoreFixture fixture;
  fixture.Open();
  RawTable& table = fixture.Declare({.name = "rows"});
  Changelog log;
  RawTable::Slot kept;
  ASSERT_TRUE(table.Load("kept", kept).ok());
  const uint64_t era = table.era();
  for (const char value : {'x', 'y'}) {
    table.Edit(kept, 1)[0] = value;
    Commit(*fixture.store, log);
    ASSERT_EQ(table.era(), era);
    RawTable::Slot loaded;
    ASSERT_TRUE(table.Load("kept", loaded).ok());
    EXPECT_EQ(loaded.identity(), kept.identity());
    EXPECT_EQ(kept.bytes(), std::string(1, value));
  }

  RawTable::Slot passing;
  ASSERT_TRUE(table.Load("passing", passing).ok());
  table.Edit(passing, 1);
  table.Erase(passing);
  fixture.budget.Trim();
  Commit(*fixture.store, log);
  EXPECT_EQ(table.era(), era) << "slots of erased rows are not kept";

  RawTable::Slot absent;
  ASSERT_TRUE(table.Load("absent", absent).ok());
  EXPECT_EQ(table.era(), era);
  fixture.budget.limit = 0;
  fixture.budget.Trim();
  EXPECT_NE(table.era(), era);
}

TEST(TableEra, StandsWhereNothingCanBeGivenUp) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& table = fixture.Declare({.name = "rows"});
  Put(table, "not stored yet", "value");
  const uint64_t era = table.era();
  fixture.budget.limit = 0;
  fixture.budget.Trim();
  EXPECT_EQ(table.era(), era);
  Changelog log;
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  EXPECT_NE(table.era(), era);
  EXPECT_EQ(fixture.budget.used, 0);
}

// --- rows that come and go ---

// In a store that was opened again too, of which not all is in memory.
TEST(Table, ARowMadeAndErasedInOneEpochIsForgottenBetweenBatches) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  Changelog log;
  RawTable& before = fixture.Declare(kOrdered);
  Put(before, "stays", "value");
  Put(before, "goes", "value");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.Open();
  RawTable& table = fixture.Declare(kOrdered);
  Restore(*fixture.store, log);
  Loaded(table, "stays");
  Loaded(table, "goes");
  const int64_t used = fixture.budget.used;
  for (int i = 0; i < 1000; ++i) {
    Put(table, Numbered(i), "value");
    EraseKey(table, Numbered(i));
    if (i % 3 == 0) Put(table, "again", Numbered(i));
    if (i % 3 == 1) EraseKey(table, "again");
    fixture.budget.Trim();
  }
  EraseKey(table, "again");
  fixture.budget.Trim();
  EXPECT_EQ(fixture.budget.used, used);
  EXPECT_EQ(fixture.budget.dirty, 0);
  EraseKey(table, "goes");
  fixture.budget.Trim();
  const std::map<std::string, std::string> expected = {{"stays", "value"}};
  EXPECT_EQ(Rows(table), expected);
  const size_t records = log.size();
  Commit(*fixture.store, log);
  EXPECT_EQ(log.size(), records + 1) << "of the row that the changelog had";
}

}  // namespace
}  // namespace freshet
