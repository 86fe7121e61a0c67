// What state costs a row: loads that hit and miss, edits, the end of an epoch, timers, opening stores.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/base/random.h"
#include "state/table.h"
#include "state/task_store.h"
#include "state/timers.h"
#include "tests/bench/must.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

struct Row {
  int64_t count = 0;
  double sum = 0, least = 0, most = 0;
};

std::string KeyOf(uint64_t i) {
  std::string key(16, '\0');
  std::snprintf(key.data(), key.size(), "key%012u", static_cast<unsigned>(i));
  return key;
}

struct Bench {
  explicit Bench(const std::string& directory = {}) {
    store = Must(TaskStore::Open(directory, resources, budget));
    raw = Must(store->Declare({.name = "rows", .ordered = true, .width = sizeof(Row)}));
    table = Table<Row>(*raw);
  }
  void Commit() {
    Must(store->Collect([](auto key, auto) {
      benchmark::DoNotOptimize(key.data());
      return Status();
    }));
    store->Committed(++position, 1);
  }
  void Fill(uint64_t rows) {
    for (uint64_t i = 0; i < rows; ++i) {
      Table<Row>::Slot slot;
      Must(table.Load(KeyOf(i), slot));
      table.Put(slot, {1, 1, 1, 1});
    }
    Commit();
    Must(store->Flush());
  }
  StoreResources resources{32 << 20, 16 << 20};
  CacheBudget budget{.limit = 1 << 30};
  std::unique_ptr<TaskStore> store;
  RawTable* raw = nullptr;
  Table<Row> table;
  int64_t position = 0;
};

// Batches of `rows` random keys of 16 bytes, made beforehand.
std::vector<KeyColumn> Batches(uint64_t keys, size_t rows) {
  Random random(1);
  std::vector<KeyColumn> batches(std::max<size_t>(1, 8192 / rows));
  for (KeyColumn& batch : batches) {
    for (size_t i = 0; i < rows; ++i)
      batch.Add(KeyOf(random.Below(keys)));
  }
  return batches;
}

void BM_LoadHit(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const auto rows = static_cast<size_t>(state.range(1));
  Bench bench;
  bench.Fill(keys);
  const std::vector<KeyColumn> batches = Batches(keys, rows);
  std::vector<Table<Row>::Slot> slots;
  size_t next = 0;
  for (auto _ : state) {
    Must(bench.table.Load(batches[next++ % batches.size()], slots));
    benchmark::DoNotOptimize(slots.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(BM_LoadHit)->Args({1000, 1})->Args({1000, 256})->Args({1'000'000, 1})->Args({1'000'000, 256});

void BM_LoadAndEdit(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  Bench bench;
  bench.Fill(keys);
  const std::vector<KeyColumn> batches = Batches(keys, 256);
  std::vector<Table<Row>::Slot> slots;
  size_t next = 0;
  for (auto _ : state) {
    Must(bench.table.Load(batches[next++ % batches.size()], slots));
    for (auto& slot : slots) {
      Row row = slot.Get();
      ++row.count;
      bench.table.Put(slot, row);
    }
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(BM_LoadAndEdit)->Arg(1000)->Arg(1'000'000);

// Keys that a table which holds everything in memory has not: nothing is read.
void BM_InsertAndErase(benchmark::State& state) {
  const TempDir directory;
  Bench bench(directory.File("store"));
  const std::string key = KeyOf(1);
  for (auto _ : state) {
    Table<Row>::Slot slot;
    Must(bench.table.Load(key, slot));
    bench.table.Put(slot, {});
    bench.table.Erase(slot);
  }
}
BENCHMARK(BM_InsertAndErase);

// Rows read from RocksDB: the cache has room for a hundredth of them.
void BM_LoadMiss(benchmark::State& state) {
  const TempDir directory;
  Bench bench(directory.File("store"));
  bench.Fill(100'000);
  bench.budget.limit = bench.budget.used / 100;
  const auto rows = static_cast<size_t>(state.range(0));
  const std::vector<KeyColumn> batches = Batches(100'000, rows);
  std::vector<Table<Row>::Slot> slots;
  size_t next = 0;
  for (auto _ : state) {
    bench.budget.Trim();
    Must(bench.table.Load(batches[next++ % batches.size()], slots));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_LoadMiss)->Arg(1)->Arg(64);

// One epoch of that many changed rows, with and without the write to RocksDB.
void BM_Epoch(benchmark::State& state) {
  const TempDir directory;
  Bench bench(directory.File("store"));
  bench.Fill(100'000);
  const std::vector<KeyColumn> batches = Batches(100'000, static_cast<size_t>(state.range(0)));
  std::vector<Table<Row>::Slot> slots;
  size_t next = 0;
  for (auto _ : state) {
    Must(bench.table.Load(batches[next++ % batches.size()], slots));
    for (auto& slot : slots)
      bench.table.Put(slot, {2, 2, 2, 2});
    bench.Commit();
    if (state.range(1) != 0) Must(bench.store->Flush());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Epoch)->Args({1000, 0})->Args({1000, 1});

// An idle task's part of a commit.
void BM_EmptyEpoch(benchmark::State& state) {
  Bench bench;
  bench.Commit();
  for (auto _ : state) {
    if (bench.store->dirty_bytes() != 0) bench.Commit();
  }
}
BENCHMARK(BM_EmptyEpoch);

// Timers of a task on disk; `waiting` are set, one a microsecond, in place 1 for one key.
struct TimersBench {
  TimersBench(int64_t waiting_timers, std::string_view timer_key)
      : waiting(waiting_timers), key(timer_key), timers(Must(TaskTimers::Open(*bench.store))) {
    Must(timers->First().status());
    for (; time < waiting; ++time)
      Must(timers->Set(time, 1, key));
  }
  TempDir directory;
  Bench bench{directory.File("store")};
  Time waiting;
  std::string key;
  std::unique_ptr<TaskTimers> timers;
  Time time = 0;  // of the next one
};

void BM_TimerSetAndPop(benchmark::State& state) {
  TimersBench bench(state.range(0), "flight-00001");
  for (auto _ : state) {
    Must(bench.timers->Set(bench.time++, 1, bench.key));
    benchmark::DoNotOptimize(Must(bench.timers->First()));
    Must(bench.timers->Pop());
    if (bench.time % 10'000 == 0) bench.bench.Commit();
  }
}
BENCHMARK(BM_TimerSetAndPop)->Arg(10)->Arg(1000)->Arg(100'000);

// As a join does: a timer is set, and cancelled when that many others have been set after it.
void BM_TimerSetAndCancel(benchmark::State& state) {
  TimersBench bench(state.range(0), "flight-00001-of-a-day");
  for (auto _ : state) {
    Must(bench.timers->Set(bench.time, 1, bench.key));
    Must(bench.timers->Cancel(bench.time - bench.waiting, 1, bench.key));
    benchmark::DoNotOptimize(Must(bench.timers->First()));
    if (++bench.time % 10'000 == 0) {
      bench.bench.Commit();
      if (bench.time % 100'000 == 0) Must(bench.bench.store->Flush());
    }
  }
}
BENCHMARK(BM_TimerSetAndCancel)->Arg(10)->Arg(1000)->Arg(100'000);

void BM_TimerFirst(benchmark::State& state) {
  Bench bench;
  auto timers = Must(TaskTimers::Open(*bench.store));
  Must(timers->Set(1, 1, "key"));
  for (auto _ : state)
    benchmark::DoNotOptimize(*timers->First());
}
BENCHMARK(BM_TimerFirst);

void BM_Scan(benchmark::State& state) {
  const TempDir directory;
  Bench bench(directory.File("store"));
  bench.Fill(100'000);
  if (state.range(0) != 0) {  // half from memory, half from the store
    bench.budget.limit = bench.budget.used / 2;
    bench.budget.Trim();
    bench.Commit();
  }
  const std::string begin = KeyOf(50'000);
  const std::string end = KeyOf(50'010);
  for (auto _ : state) {
    size_t rows = 0;
    Must(bench.raw->Scan(begin, end, [&](auto, auto) { return ++rows > 0; }));
    benchmark::DoNotOptimize(rows);
  }
}
BENCHMARK(BM_Scan)->Arg(0)->Arg(1);

void BM_OpenInMemory(benchmark::State& state) {
  StoreResources resources{1 << 20, 1 << 20};
  CacheBudget budget;
  for (auto _ : state) {
    auto store = Must(TaskStore::Open({}, resources, budget));
    for (const char* name : {"a", "b", "c"})
      Must(store->Declare({.name = name}).status());
  }
}
BENCHMARK(BM_OpenInMemory);

void BM_OpenFortyAgain(benchmark::State& state) {
  const TempDir directory;
  StoreResources resources{32 << 20, 16 << 20};
  CacheBudget budget;
  std::vector<std::unique_ptr<TaskStore>> stores;
  for (auto _ : state) {
    for (int i = 0; i < 40; ++i) {
      stores.push_back(Must(TaskStore::Open(directory.File(std::to_string(i)), resources, budget)));
    }
    state.PauseTiming();
    stores.clear();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_OpenFortyAgain)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
}  // namespace freshet
