#pragma once
// The rows of one table in memory: what RawTable shows and TaskStore commits. One thread.
//
// An entry's value moves through the epochs like this (each step is a flag, and each has its list):
//   Edit, Erase      kDirty      differs from what the last Collect saw
//   Collect          kCollected  yielded as a change record, its transaction still open
//   Committed        kUnstored   in the changelog, not yet in the store
//   Stored           clean       equals the store
// Later changes do not wait for earlier ones: the first change of an epoch to an entry that is collected or
// unstored first keeps a copy of that image beside the entry (Aside), so Flush always writes the last
// *committed* bytes. At most two images can be waiting, one collected and one committed.
//
// Always: entries that are not clean stay in memory, but for rows made and erased within one epoch.
// `complete`: every row of the table is in memory (a table that began empty and has given up none), so a miss
// is known to be absent and nothing is read; a table without a store is always complete. There is an ordered
// index from a scan on, until several times more rows have come to it or gone than there are entries and
// nobody has scanned: most ordered tables are scanned rarely or never. It holds all present entries while the
// table is complete, and at least those that the store would show wrongly else; new ones wait in a list,
// unsorted.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "state/blocks.h"
#include "state/key_index.h"
#include "state/key_mark.h"
#include "state/raw_table.h"
#include "state/row_store.h"
#include "state/task_store.h"

namespace freshet {

class TableCache {
 public:
  using Slot = RawTable::Slot;
  // `store`: null keeps everything in memory. All outlive this.
  TableCache(TableSpec spec, RowStore* store, CacheBudget& budget, Blocks& blocks, StoreStats& stats);
  TableCache(const TableCache&) = delete;
  TableCache& operator=(const TableCache&) = delete;
  ~TableCache();

  const TableSpec& spec() const { return spec_; }
  CacheBudget& budget() { return budget_; }
  void SetShard(uint32_t shard);  // among the tables of a KeyedTable
  static uint32_t ShardOf(const Slot& slot) { return EntryOf(slot).shard; }
  // What an operator declares of a table that the changelog or the store has brought before it.
  void SetOrdered(bool ordered);
  void SetScratch(uint32_t bytes);
  // 0: the catalog's, or none yet. Its bytes precede the key in the store and in change records.
  uint32_t number() const { return number_; }
  const std::string& prefix() const { return prefix_; }
  void SetNumber(uint32_t number);
  // The store may hold rows that are not in memory.
  void SetIncomplete();

  // As RawTable has them.
  uint64_t era() const { return era_; }
  Status Load(const KeyColumn& keys, std::span<Slot> out);
  Status Load(std::string_view key, Slot& out);
  // Load in steps (table_load.h). `mark`: MarkOf the key.
  void PrefetchIndex(KeyMark mark) const { index_.Prefetch(mark.tag); }
  void PrefetchEntry(KeyMark mark) const;
  void PrefetchBlock(KeyMark mark) const;
  // Whether it is the first of those that ReadMisses must read before the slots are used.
  bool Ask(std::string_view key, KeyMark mark, Slot& out) {
    Entry* entry = Find(key, mark);
    if (entry == nullptr) return Miss(key, mark, out);
    if (!entry->Has(kReferenced)) entry->Add(kReferenced);
    out.place_ = &entry->place;
    return false;
  }
  Status ReadMisses();
  char* Edit(Slot& slot, uint32_t size);
  void Erase(Slot& slot);
  Status Scan(std::string_view begin, std::string_view end,
              const std::function<bool(std::string_view, std::string_view)>& visit);
  // For callers who do not need to know what was there: nothing is read from the store. `maybe_stored`: false
  // where the key is known to be absent.
  void Overwrite(std::string_view key, std::string_view value, bool maybe_stored);
  void Remove(std::string_view key);

  // Held rows stay in memory, present or not, and their slots valid, until LetGo or until drops() changes.
  // A key that is not in memory is taken for absent, or, `stored`, for present with an empty value and as
  // the store has it; nothing is read. Whether it was not held before.
  bool Hold(std::string_view key, bool stored, Slot& out);
  void LetGo(const Slot& slot);
  bool Peek(std::string_view key, Slot& out) const;  // false: not in memory
  std::string_view KeyOf(const Slot& slot) const { return EntryOf(slot).key(); }
  uint64_t drops() const { return drops_; }

  Status Collect(const TaskStore::ChangeSink& sink);
  void Committed();
  size_t dirty_bytes() const { return dirty_bytes_; }
  size_t unstored_bytes() const { return unstored_bytes_; }
  bool unclean() const { return !dirty_.empty() || !collected_.empty() || !unstored_.empty(); }
  // Adds the committed images that the store lacks; Stored says that they are written.
  void AddUnstored(RowBatch& batch);
  void Stored();

  // Restore. A table with a store is written past its cache, which is empty then.
  bool Fits(std::string_view value) const { return spec_.width == 0 || value.size() == spec_.width; }
  void ApplyInMemory(std::string_view key, std::optional<std::string_view> value);
  void DropAll();
  // As new: the store holds nothing of it either.
  void Reset();

  // Goes round the entries from where it stopped and gives up clean ones that were not asked for since the
  // last passing, until the budget's use is down to `target` (false) or the end is reached (true).
  bool Sweep(int64_t target);
  // Gives up the rows that were made and erased since the last Collect: catching up, a lane makes and erases
  // most of its rows within one epoch, and would have each in memory of its own.
  void Forget();

 private:
  enum Flag : uint16_t {
    kDirty = 1,
    kCollected = 2,
    kUnstored = 4,
    kLogged = 8,       // the last image in the changelog, collected ones included, is present
    kStored = 16,      // the store may hold the key
    kReferenced = 32,  // CLOCK
    kPinned = 64,      // counted in budget.pinned
    kEvictable = 128,
    kIndexed = 256,  // in ordered_
    kUsed = 512,     // not on the free list
    kHeld = 1024,
  };
  static constexpr unsigned kUnclean = kDirty | kCollected | kUnstored;
  // Somebody else knows of the entry.
  static constexpr unsigned kTraces = kLogged | kCollected | kUnstored | kStored | kHeld;
  struct Image {
    char* data = nullptr;  // null: none kept, or absent
    uint32_t size = 0;
    bool kept = false;
  };
  struct Aside {
    Image committed, collected;
  };
  // One cache line.
  struct alignas(64) Entry {
    RawTable::Place place;  // first: slots point here
    char* block = nullptr;  // the key, padded to 8, then the value
    uint64_t prefix = 0;    // of the key
    uint32_t capacity = 0;  // of the block
    uint32_t tag = 0;       // of the key's hash; next free entry
    uint32_t number = 0;
    uint32_t order = 0;  // kIndexed: its place in fresh_, or kSorted
    Aside* aside = nullptr;
    uint32_t waiting = 0;  // kUnstored: its place in unstored_; else kDirty: in dirty_
    uint16_t flags = 0;
    uint16_t shard = 0;  // of the table
    bool Has(unsigned any) const { return (flags & any) != 0; }
    void Add(unsigned these) { flags = static_cast<uint16_t>(flags | these); }
    void Drop(unsigned these) { flags = static_cast<uint16_t>(flags & ~these); }
    bool present() const { return place.data != nullptr; }
    std::string_view key() const { return {block, place.key_size}; }
    std::string_view value() const { return {place.data, place.size}; }
  };
  static_assert(sizeof(Entry) == 64);
  struct InOrder {
    uint64_t prefix;
    Entry* entry;
  };
  struct ToSort {
    uint64_t prefix, next;  // the first and the second eight bytes of the key
    Entry* entry;
  };
  struct Probe {
    uint64_t prefix;
    std::string_view key;
  };
  struct ByKey {
    using is_transparent = void;
    bool operator()(const InOrder& a, const InOrder& b) const {
      return a.prefix != b.prefix ? a.prefix < b.prefix : a.entry->key() < b.entry->key();
    }
    bool operator()(const InOrder& a, const Probe& b) const {
      return a.prefix != b.prefix ? a.prefix < b.prefix : a.entry->key() < b.key;
    }
    bool operator()(const Probe& a, const InOrder& b) const {
      return a.prefix != b.prefix ? a.prefix < b.prefix : a.key < b.entry->key();
    }
  };
  static constexpr uint32_t kSlab = 64;
  static constexpr uint32_t kSorted = UINT32_MAX;
  static constexpr uint32_t kUsual = 512;
  static constexpr size_t kEntryCost = sizeof(Entry) + 24;  // and its share of the index
  static constexpr int64_t kRecordCost =
      8;  // of a change record: dirty_bytes is 0 only where nothing is dirty
  static constexpr int64_t kOrderCost = 64;  // a node of ordered_
  static constexpr uint32_t ValueAt(uint32_t key_size) { return (key_size + 7) & ~7U; }
  static Entry& EntryOf(const Slot& slot) { return *reinterpret_cast<Entry*>(slot.place_); }

  // table_cache.cc: entries and their flags.
  Entry& At(uint32_t number) const { return slabs_[number / kSlab][number % kSlab]; }
  // A short key is in the entry itself, so that its block is not touched.
  Entry* Find(std::string_view key, KeyMark mark) const {
    Entry* found = nullptr;
    index_.Find(mark.tag, [&](uint32_t number) {
      Entry& entry = At(number);
      if (entry.prefix != mark.prefix || entry.place.key_size != key.size()) return false;
      if (!SameTail(entry.block, key.data(), key.size())) return false;
      found = &entry;
      return true;
    });
    return found;
  }
  bool Miss(std::string_view key, KeyMark mark, Slot& out);
  Entry& Create(std::string_view key, KeyMark mark);
  void Release(Entry& entry);
  void Resize(Entry& entry, uint32_t size);
  void MoveTo(Entry& entry, uint32_t capacity, uint32_t kept);
  void SetValue(Entry& entry, std::string_view value);
  void Settle(Entry& entry);
  void SettleCounts(Entry& entry, unsigned changed);
  void BeginChange(Entry& entry);
  void EraseEntry(Entry& entry);
  Status CheckWidth(std::string_view value) const;
  void Account(const Entry& entry, int64_t bytes);
  int64_t CostOf(const Entry& entry) const {
    return static_cast<int64_t>(kEntryCost + entry.capacity) +
           (entry.aside == nullptr ? 0 : CostOf(*entry.aside));
  }
  static int64_t CostOf(const Aside& aside);
  void CountDirty(int64_t bytes);
  void BeginEra();

  // table_scan.cc: the ordered index.
  void BeginOrder();
  void EndOrder();
  void SettleOrder(Entry& entry);
  void AddToOrder(Entry& entry);
  void DropFromOrder(Entry& entry);
  void SortFresh();

  // table_epoch.cc: images and their lists.
  void KeepImage(Entry& entry);
  void DropImage(Entry& entry, Image& image);
  void DropAsideIfEmpty(Entry& entry);
  void DropTrace(Entry& entry);
  void WaitForStore(Entry& entry);
  bool LeavesNoTrace(const Entry& entry) const;
  // To be called where an entry may leave no trace any more; Forget looks closer.
  void ForgetSoon(Entry& entry) {
    if (entry.present() || !entry.Has(kDirty) || entry.Has(kTraces)) return;
    if (gone_.empty()) budget_.forgetful.push_back(this);
    gone_.push_back(&entry);
  }
  std::string_view CommittedValue(const Entry& entry, bool& present) const;
  static void PrefetchAfter(const std::vector<Entry*>& entries, size_t i);
  void SortByKey(std::vector<Entry*>& entries);

  // What a look-up that finds its key reads of the table is in the first cache line, and what every row that
  // is made, changed or erased reads and changes in the next two.
  alignas(64) KeyIndex index_;
  std::vector<Entry*> slabs_;
  uint32_t entries_ = 0;  // ever made
  uint32_t free_ = KeyIndex::kNone;
  uint32_t clock_ = 0;
  uint32_t evictable_ = 0;
  int64_t used_ = 0, pinned_ = 0;  // this table's part of the budget's
  RowStore* store_;
  CacheBudget& budget_;
  Blocks& blocks_;
  std::vector<Entry*> dirty_;
  std::vector<Entry*> gone_;  // those that Forget may find without a trace
  size_t dirty_bytes_ = 0;
  uint32_t usual_ = 0;  // bytes of the row made last, up to kUsual: a new block has room for as many
  uint16_t shard_ = 0;
  bool complete_ = true;
  bool ordering_ = false;  // there is an ordered index
  TableSpec spec_;
  StoreStats& stats_;
  uint32_t number_ = 0;
  std::string prefix_;
  std::set<InOrder, ByKey, AllocatorFrom<InOrder, Blocks>> ordered_;
  std::vector<Entry*> fresh_;  // not yet in ordered_
  uint32_t unscanned_ = 0;     // how many came to the ordered index or went since the last scan

  std::vector<Entry*> collected_, unstored_;
  size_t unstored_bytes_ = 0;
  uint64_t drops_ = 0;  // how often rows were dropped or replaced from outside
  uint64_t era_ = 0;    // RawTable::era

  std::optional<RowCursor> cursor_;  // kept until the store changes
  KeyColumn wanted_;                 // scratch
  std::vector<Entry*> misses_;
  std::vector<KeyMark> marks_;
  std::vector<TableCache*> missing_;
  std::vector<ToSort> sorted_;
  std::string record_;
};

}  // namespace freshet
