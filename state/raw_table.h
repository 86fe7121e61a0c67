#pragma once
// One keyed table of a task: a write-back cache over the task's store. Tables are created by TaskStore;
// operators see them through KeyedTable, RawTable and Table<V>. One thread.
//
// Always: a key has at most one entry; what Edit or Erase changed is dirty until the epoch that holds it is
// committed and written to the store, and is never evicted before; clean entries equal the store. A key
// created and erased in one epoch leaves no trace. Order of the change records is that of (table, key) bytes,
// never that of a hash.
//
// Entries stay where they are: a slot may be used until the end of the epoch (TaskStore::Collect) or until
// CacheBudget::Trim, whichever comes first, whatever is loaded, changed or erased meanwhile in this or
// another table. Who keeps slots for longer asks for the table's era: while it stands, they are good.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace freshet {

// Keys of a Load from one table, back to back: order-preserving encodings (engine/base/bytes.h). Reused from
// batch to batch.
class KeyColumn {
 public:
  void Clear() {
    bytes_.clear();
    ends_.clear();
  }
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }
  // The buffer to append the next key's bytes to; EndKey closes it.
  std::string& buffer() { return bytes_; }
  void EndKey() { ends_.push_back(static_cast<uint32_t>(bytes_.size())); }
  void Add(std::string_view key) {
    bytes_.append(key);
    EndKey();
  }

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

class TableCache;

struct TableSpec {
  std::string name;      // unique in its task
  uint32_t layout = 1;   // of the values; a store or changelog of another layout is refused, never misread
  bool ordered = false;  // may be scanned
  uint32_t width = 0;    // bytes of every value; 0: free
  // Bytes beside every value, where these have a width: for what can be worked out again. In memory only:
  // zero when a row is made, and whenever it was read anew.
  uint32_t scratch = 0;
};

class RawTable {
  // Where an entry's value is now. Public part of the cache's entry, at a fixed address.
  struct Place {
    char* data = nullptr;  // null: absent
    uint32_t size = 0;
    uint32_t key_size = 0;
  };

 public:
  // A row as it is now: all slots of one key see a change that was made through any of them.
  class Slot {
   public:
    bool present() const { return place_ != nullptr && place_->data != nullptr; }
    // REQUIRES: present(). Aligned to 8; moves where the row grows. Changed only through Edit.
    const char* data() const { return place_->data; }
    uint32_t size() const { return place_->size; }
    std::string_view bytes() const {
      return present() ? std::string_view(data(), size()) : std::string_view();
    }

    // REQUIRES: present(), in a table that has it. Aligned to 8, where the width is a multiple of it.
    char* scratch() const { return place_->data + place_->size; }

    // The same for all slots of a key, in one era of the table.
    const void* identity() const { return place_; }

   private:
    friend class RawTable;
    friend class TableCache;
    Place* place_ = nullptr;
  };

  explicit RawTable(TableCache& cache) : cache_(&cache) {}
  RawTable(const RawTable&) = delete;
  RawTable& operator=(const RawTable&) = delete;

  const TableSpec& spec() const;
  // Rises whenever the slot of a row that is present has become void, and when rows that are not loaded anew
  // are to count as not in use. Slots of rows that were erased, or never there, are not good beyond their
  // batch.
  uint64_t era() const;
  // One slot a key; the same key twice gives the same entry. Misses are read in one MultiGet. On failure the
  // slots are of no use.
  Status Load(const KeyColumn& keys, std::span<Slot> out);
  Status Load(std::string_view key, Slot& out);
  // Makes the row present (zeroed where it was absent), `size` bytes (fixed-width tables: their width), old
  // bytes kept up to the shorter size and zeros after them, and marks it dirty. REQUIRES: a slot that was
  // loaded.
  char* Edit(Slot& slot, uint32_t size);
  void Erase(Slot& slot);
  // Ordered tables: rows with begin <= key < end (empty end: no bound), in key order, cache and store merged,
  // until `visit` returns false. Nothing of this table may be loaded or changed during the scan.
  Status Scan(std::string_view begin, std::string_view end,
              const std::function<bool(std::string_view key, std::string_view value)>& visit);

 private:
  friend class KeyedTable;
  friend class TableCache;
  friend class TaskTimers;
  TableCache* cache_;
};

}  // namespace freshet
