#pragma once
// The state of one task: its tables, and the RocksDB directory behind them. Knows no log: it yields change
// records (bytes) for the changelog and applies them again at restore. One thread; several stores may share a
// StoreResources.
//
// The changelog is the durable record, so the store comes after it:
//   epoch:    operators edit tables → Collect yields the dirty rows as change records
//   commit:   the log commits them → Committed(position) (they are kept in memory, to be stored later)
//   store:    Flush writes everything committed in one WriteBatch with its changelog position and epoch, the
//             WAL on, without a sync
//   abort:    destroy the store object and open it again; nothing in memory survives
//   restore:  Apply records from stored_position() on, then EndRestore(position)
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "state/raw_table.h"

namespace freshet {

// What the stores of a process share: block cache, memtable budget, background threads. Outlives them. Any
// thread.
class StoreResources {
 public:
  StoreResources(int64_t block_cache_bytes, int64_t memtable_bytes);
  ~StoreResources();
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Bytes that the tables of a lane may hold in memory, shared among its stores; outlives them. One thread.
struct CacheBudget {
  int64_t limit = 64 << 20;
  int64_t used = 0;    // by entries, clean and dirty
  int64_t pinned = 0;  // of these, not yet in a store: commit and flush where it nears the limit
  int64_t dirty = 0;   // dirty_bytes() of all stores

  // Forgets rows that were made and erased since the last Collect. Where used > limit: gives up clean rows of
  // all stores, those not asked for lately first (CLOCK). All slots are void after it. To be called between
  // batches: nothing is given up while one is in work, so that its slots stay valid. Committed and Flush call
  // it too. Costs two comparisons where there is room.
  void Trim() {
    if (!forgetful.empty()) Forget();
    if (used > limit) Evict();
  }

  // What the rows lie in. Outlives the stores.
  Pool memory = {};
  // The caches that share it, for the stores themselves.
  std::vector<TableCache*> caches = {};
  size_t hand = 0;
  std::vector<TableCache*> forgetful = {};  // those with rows that may be forgotten
  int64_t timers = 0;                       // tasks with timers, which share a part of it
  uint64_t eras = 0;                        // how often a table began an era

 private:
  void Forget();
  void Evict();
};

struct StoreStats {
  uint64_t misses = 0;        // keys read from RocksDB
  uint64_t stored_bytes = 0;  // written to RocksDB by Flush
  uint64_t evictions = 0;
};

class TaskStore {
 public:
  // `directory`: created where missing; kConflict where another process holds it. Empty: memory only (tests,
  // planning).
  static Result<std::unique_ptr<TaskStore>> Open(const std::string& directory, StoreResources& resources,
                                                 CacheBudget& budget);
  ~TaskStore();

  // Declares a table before anything is read; its layout is checked against the store's and, during restore,
  // the changelog's catalog (kConflict, saying which table and what to do).
  Result<RawTable*> Declare(const TableSpec& spec);

  // Calls `sink` with every row that changed since the last Collect; no value: erased. Order of key bytes.
  using ChangeSink = std::function<Status(std::string_view key, std::optional<std::string_view> value)>;
  Status Collect(const ChangeSink& sink);
  size_t dirty_bytes() const;  // changed since the last Collect
  // What Collect yielded is committed; the changelog's next offset is `position`, by epoch number `epoch`.
  void Committed(int64_t position, uint64_t epoch);
  size_t unstored_bytes() const;  // committed, not yet in RocksDB
  Status Flush();

  // The changelog position up to which the store holds everything, and its epoch; absent: empty store.
  std::optional<int64_t> stored_position() const;
  uint64_t stored_epoch() const;
  // Forgets everything stored (a store that does not fit its changelog is rebuilt).
  Status Clear();
  Status Apply(std::string_view key, std::optional<std::string_view> value);
  // Whether a change record's key is that of a table's row.
  bool IsRow(const TableSpec& table, std::string_view row, std::string_view key) const;
  Status EndRestore(int64_t position, uint64_t epoch);

  const StoreStats& stats() const;
  std::string directory() const;

 private:
  struct Impl;
  explicit TaskStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet
