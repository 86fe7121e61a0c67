#pragma once
// What the tests of state share: one store with its budget, opened and closed at will, and the log that a
// runtime would keep for it. One thread.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "state/task_store.h"

namespace freshet {

struct ChangeRecord {
  std::string key;
  std::optional<std::string> value;
};

// The changelog of one task: every committed record, the offset is the place in it.
using Changelog = std::vector<ChangeRecord>;

inline std::vector<ChangeRecord> CollectAll(TaskStore& store) {
  std::vector<ChangeRecord> records;
  const Status status = store.Collect([&](std::string_view key, std::optional<std::string_view> value) {
    records.push_back({std::string(key), value ? std::optional<std::string>(*value) : std::nullopt});
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return records;
}

// One transaction: what changed since the last one.
inline void Commit(TaskStore& store, Changelog& log, uint64_t epoch = 1) {
  for (ChangeRecord& record : CollectAll(store))
    log.push_back(std::move(record));
  store.Committed(static_cast<int64_t>(log.size()), epoch);
}

inline void Restore(TaskStore& store, const Changelog& log, uint64_t epoch = 1) {
  for (size_t i = static_cast<size_t>(store.stored_position().value_or(0)); i < log.size(); ++i) {
    const ChangeRecord& record = log[i];
    const Status status =
        store.Apply(record.key, record.value ? std::optional<std::string_view>(*record.value) : std::nullopt);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  const Status status = store.EndRestore(static_cast<int64_t>(log.size()), epoch);
  ASSERT_TRUE(status.ok()) << status.message();
}

struct StoreFixture {
  explicit StoreFixture(std::string path = {}) : directory(std::move(path)) {}

  StoreResources resources{1 << 20, 1 << 20};
  CacheBudget budget;
  std::string directory;  // empty: memory
  std::unique_ptr<TaskStore> store;

  void Open() {
    store.reset();
    auto opened = TaskStore::Open(directory, resources, budget);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    store = std::move(*opened);
  }
  RawTable& Declare(const TableSpec& spec) {
    auto table = store->Declare(spec);
    EXPECT_TRUE(table.ok()) << table.status().message();
    return **table;
  }
};

inline RawTable::Slot Loaded(RawTable& table, std::string_view key) {
  RawTable::Slot slot;
  const Status status = table.Load(key, slot);
  EXPECT_TRUE(status.ok()) << status.message();
  return slot;
}

inline void Put(RawTable& table, std::string_view key, std::string_view value) {
  RawTable::Slot slot = Loaded(table, key);
  value.copy(table.Edit(slot, static_cast<uint32_t>(value.size())), value.size());
}

inline std::optional<std::string> Value(RawTable& table, std::string_view key) {
  const RawTable::Slot slot = Loaded(table, key);
  return slot.present() ? std::optional<std::string>(slot.bytes()) : std::nullopt;
}

inline void EraseKey(RawTable& table, std::string_view key) {
  RawTable::Slot slot = Loaded(table, key);
  table.Erase(slot);
}

inline std::map<std::string, std::string> Rows(RawTable& table, std::string_view begin = {},
                                               std::string_view end = {}) {
  std::map<std::string, std::string> rows;
  std::string last;
  const Status status = table.Scan(begin, end, [&](std::string_view key, std::string_view value) {
    EXPECT_TRUE(rows.empty() || last < key) << "a scan goes up";
    last = key;
    rows.emplace(key, value);
    return true;
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return rows;
}

}  // namespace freshet
