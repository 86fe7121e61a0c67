// Random histories of a store against plain maps: edits, duplicate keys, scans, commits, late flushes,
// aborts, restarts, rebuilds, on disk and in memory, with room for everything and for almost nothing.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "tests/harness/temp_dir.h"
#include "tests/state/store_fixture.h"

namespace freshet {
namespace {

using Rowset = std::map<std::string, std::string>;
using State = std::vector<Rowset>;  // by table

const std::vector<TableSpec> kTables = {{.name = "fixed", .layout = 1, .ordered = false, .width = 12},
                                        {.name = "free", .layout = 3, .ordered = false, .width = 0},
                                        {.name = "fixed-ordered", .layout = 1, .ordered = true, .width = 8},
                                        {.name = "free-ordered", .layout = 1, .ordered = true, .width = 0}};

class History {
 public:
  History(uint64_t seed, std::string directory, int64_t limit) : random_(seed) {
    store_.directory = std::move(directory);
    store_.budget.limit = limit;
    for (int i = 0; i < 40; ++i)
      keys_.push_back(RandomKey());
    keys_.emplace_back();
    Reopen();
  }
  ~History() {
    store_.store.reset();
    EXPECT_EQ(store_.budget.used, 0);
    EXPECT_EQ(store_.budget.pinned, 0);
    EXPECT_EQ(store_.budget.dirty, 0);
    EXPECT_TRUE(store_.budget.caches.empty());
  }

  void Step() {
    StepOnce();
    ASSERT_EQ(store_.budget.dirty, static_cast<int64_t>(store_.store->dirty_bytes()));
  }
  void StepOnce() {
    switch (random_.Below(20)) {
      case 0:
        return CommitNow();
      case 1:
        return CommitLate();
      case 2:
        return FlushNow();
      case 3:
        return Trim();
      case 4:
        return random_.Chance(0.3) ? Reopen() : CommitNow();
      case 5:
        return random_.Chance(0.05) ? Rebuild() : FlushNow();
      case 6:
      case 7:
        return Scan();
      default:
        return Edit();
    }
  }

  void CheckAll() {
    for (size_t t = 0; t < kTables.size(); ++t) {
      for (const std::string& key : keys_)
        ASSERT_EQ(Value(*tables_[t], key), Expected(t, key)) << kTables[t].name;
      if (kTables[t].ordered) {
        ASSERT_EQ(Rows(*tables_[t]), now_[t]);
      }
    }
  }
  void Reopen();

 private:
  std::string RandomKey() {
    std::string key(random_.Below(14), '\0');
    for (char& c : key)
      c = "\0\1ab\xfe\xff"[random_.Below(6)];
    return key;
  }
  const std::string& AnyKey() { return keys_[random_.Below(keys_.size())]; }
  std::optional<std::string> Expected(size_t table, const std::string& key) const {
    const auto found = now_[table].find(key);
    return found == now_[table].end() ? std::nullopt : std::optional<std::string>(found->second);
  }
  void CheckSlot(size_t table, const std::string& key, const RawTable::Slot& slot) {
    const auto expected = Expected(table, key);
    ASSERT_EQ(slot.present(), expected.has_value());
    if (expected) {
      ASSERT_EQ(slot.bytes(), *expected);
    }
  }
  void Edit();
  void EditOne(size_t table, const std::string& key, RawTable::Slot& slot);
  void Scan();
  void CollectNow();
  void Confirm();
  void CommitNow() {
    CollectNow();
    Confirm();
    if (random_.Chance(0.3)) FlushNow();
  }
  // The rows of the next epoch change while the transaction is open.
  void CommitLate() {
    CollectNow();
    for (uint64_t n = random_.Below(4); n > 0; --n)
      Edit();
    if (random_.Chance(0.3)) FlushNow();
    if (random_.Chance(0.2)) return Reopen();  // the transaction is aborted
    if (random_.Chance(0.2)) CollectNow();
    Confirm();
  }
  void FlushNow();
  // Sometimes everything that may go does, while changes wait to be committed or stored.
  void Trim() {
    const int64_t limit = store_.budget.limit;
    if (random_.Chance(0.3)) store_.budget.limit = 0;
    store_.budget.Trim();
    if (!store_.directory.empty() && store_.budget.pinned == 0) {
      ASSERT_LE(store_.budget.used, store_.budget.limit);
    }
    store_.budget.limit = limit;
  }
  void Rebuild();
  void Replay();

  Random random_;
  StoreFixture store_;
  std::vector<RawTable*> tables_;
  std::vector<std::string> keys_;
  State now_{kTables.size()}, collected_{kTables.size()}, committed_{kTables.size()};
  Changelog log_, open_;  // committed; of the open transaction
  std::optional<int64_t> stored_;
  uint64_t epoch_ = 0;
  bool touched_ = false;  // since the last Collect
  uint64_t values_ = 0;
};

void History::Edit() {
  const size_t t = random_.Below(kTables.size());
  KeyColumn keys;
  std::vector<std::string> asked;
  for (uint64_t n = 1 + random_.Below(8); n > 0; --n)
    asked.push_back(AnyKey());
  for (const std::string& key : asked)
    keys.Add(key);
  std::vector<RawTable::Slot> slots(asked.size());
  ASSERT_TRUE(tables_[t]->Load(keys, slots).ok());
  // Loads of any table leave them valid.
  if (random_.Chance(0.5)) Loaded(*tables_[random_.Below(kTables.size())], AnyKey());
  for (uint64_t n = random_.Below(6); n > 0; --n) {
    const size_t i = random_.Below(asked.size());
    EditOne(t, asked[i], slots[i]);
    for (size_t j = 0; j < asked.size(); ++j)
      CheckSlot(t, asked[j], slots[j]);
  }
}

void History::EditOne(size_t table, const std::string& key, RawTable::Slot& slot) {
  touched_ = true;
  if (random_.Chance(0.3)) {
    tables_[table]->Erase(slot);
    now_[table].erase(key);
    return;
  }
  const uint32_t width = kTables[table].width;
  const auto size = static_cast<uint32_t>(width != 0             ? width
                                          : random_.Chance(0.02) ? random_.Below(20'000)
                                                                 : random_.Below(40));
  std::string& expected = now_[table][key];
  expected.resize(size, '\0');
  char* data = tables_[table]->Edit(slot, size);
  ASSERT_EQ(std::string_view(data, size), expected) << "old bytes are kept, new ones are zero";
  if (size == 0) return;
  const auto mark = static_cast<char>(++values_);
  expected[values_ % size] = data[values_ % size] = mark;
}

void History::Scan() {
  const size_t t = 2 + random_.Below(2);
  const std::string begin = random_.Chance(0.2) ? std::string() : AnyKey();
  const std::string end = random_.Chance(0.2) ? std::string() : AnyKey();
  Rowset expected;
  for (auto row = now_[t].lower_bound(begin); row != now_[t].end() && (end.empty() || row->first < end);
       ++row) {
    expected.insert(*row);
  }
  ASSERT_EQ(Rows(*tables_[t], begin, end), expected);
  size_t visits = 0;
  const size_t most = 1 + random_.Below(3);
  ASSERT_TRUE(tables_[t]->Scan(begin, end, [&](auto, auto) { return ++visits < most; }).ok());
  ASSERT_EQ(visits, std::min(most, expected.size()));
}

void History::CollectNow() {
  const size_t before = store_.store->dirty_bytes();
  const std::vector<ChangeRecord> records = CollectAll(*store_.store);
  ASSERT_EQ(store_.store->dirty_bytes(), 0U);
  touched_ = false;
  std::string last;
  for (const ChangeRecord& record : records) {
    ASSERT_LT(last, record.key) << "records come in the order of their keys";
    last = record.key;
    // Tables are numbered in the order of their declaration.
    const size_t number = static_cast<size_t>(record.key[0]);
    if (number == 0) continue;
    ASSERT_GT(before, 0U);
    const std::string key = record.key.substr(1);
    ASSERT_EQ(record.value, Expected(number - 1, key));
    if (!record.value) {
      ASSERT_TRUE(collected_[number - 1].contains(key)) << "what came and went leaves no trace";
    }
    record.value ? void(collected_[number - 1][key] = *record.value)
                 : void(collected_[number - 1].erase(key));
  }
  ASSERT_EQ(collected_, now_) << "the records are all that changed";
  open_.insert(open_.end(), records.begin(), records.end());
}

void History::Confirm() {
  log_.insert(log_.end(), open_.begin(), open_.end());
  open_.clear();
  store_.store->Committed(static_cast<int64_t>(log_.size()), ++epoch_);
  committed_ = collected_;
}

void History::FlushNow() {
  ASSERT_TRUE(store_.store->Flush().ok());
  if (epoch_ > 0) stored_ = static_cast<int64_t>(log_.size());
  ASSERT_EQ(store_.store->stored_position(), stored_);
  ASSERT_EQ(store_.store->unstored_bytes(), 0U);
  if (!touched_ && open_.empty()) {
    ASSERT_EQ(store_.budget.pinned, 0);
  }
}

// An abort, a crash, a restart: all the same.
void History::Reopen() {
  store_.store.reset();
  EXPECT_EQ(store_.budget.used, 0);
  store_.Open();
  touched_ = false;
  if (store_.directory.empty()) stored_.reset();
  ASSERT_EQ(store_.store->stored_position(), stored_);
  const bool restore_first = random_.Chance(0.5);
  if (restore_first) Replay();
  tables_.clear();
  for (const TableSpec& spec : kTables)
    tables_.push_back(&store_.Declare(spec));
  if (!restore_first) Replay();
  open_.clear();
  now_ = collected_ = committed_;
  if (random_.Chance(0.3)) CheckAll();
}

void History::Rebuild() {
  ASSERT_TRUE(store_.store->Clear().ok());
  ASSERT_EQ(store_.store->stored_position(), std::nullopt);
  for (size_t t = 0; t < kTables.size(); ++t)
    ASSERT_EQ(Value(*tables_[t], keys_[0]), std::nullopt);
  touched_ = false;
  stored_.reset();
  Replay();
  open_.clear();
  now_ = collected_ = committed_;
  CheckAll();
}

// From the store's position on; sometimes as the broker's compaction would have left it.
void History::Replay() {
  const auto from = static_cast<size_t>(stored_.value_or(0));
  std::map<std::string, size_t> newest;
  for (size_t i = from; i < log_.size(); ++i)
    newest[log_[i].key] = i;
  const bool compacted = random_.Chance(0.5);
  for (size_t i = from; i < log_.size(); ++i) {
    if (compacted && newest[log_[i].key] != i) continue;
    std::optional<std::string_view> value;
    if (log_[i].value) value = *log_[i].value;
    const Status status = store_.store->Apply(log_[i].key, value);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  if (epoch_ == 0) return;
  ASSERT_TRUE(store_.store->EndRestore(static_cast<int64_t>(log_.size()), epoch_).ok());
  stored_ = static_cast<int64_t>(log_.size());
  ASSERT_EQ(store_.store->stored_position(), stored_);
  ASSERT_EQ(store_.store->stored_epoch(), epoch_);
}

void RunHistory(uint64_t seed, const std::string& directory, int64_t limit, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  History history(seed, directory, limit);
  for (int i = 0; i < steps; ++i) {
    history.Step();
    if (testing::Test::HasFatalFailure()) return;
  }
  history.CheckAll();
  history.Reopen();
  history.CheckAll();
}

TEST(StateModel, InMemory) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    RunHistory(seed, "", seed % 2 == 0 ? 0 : 64 << 20, 200);
    if (HasFatalFailure()) return;
  }
}

TEST(StateModel, OnDiskWithRoom) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const TempDir directory;
    RunHistory(seed, directory.File("store"), 64 << 20, 300);
    if (HasFatalFailure()) return;
  }
}

TEST(StateModel, OnDiskWithRoomForAlmostNothing) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const TempDir directory;
    RunHistory(seed, directory.File("store"), seed % 2 == 0 ? 0 : 4000, 300);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace freshet
