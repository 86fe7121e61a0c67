#include "state/table_cache.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <utility>

#include "engine/base/bytes.h"
#include "state/row_errors.h"
#include "state/table_load.h"

namespace freshet {

TableCache::TableCache(TableSpec spec, RowStore* store, CacheBudget& budget, Blocks& blocks,
                       StoreStats& stats)
    : index_(blocks.pool()),
      store_(store),
      budget_(budget),
      blocks_(blocks),
      spec_(std::move(spec)),
      stats_(stats),
      ordered_(ByKey(), AllocatorFrom<InOrder, Blocks>(blocks)) {
  budget_.caches.push_back(this);
}

TableCache::~TableCache() {
  DropAll();
  for (Entry* slab : slabs_)
    blocks_.pool().Free(slab, kSlab * sizeof(Entry));
  std::erase(budget_.caches, this);
  std::erase(budget_.forgetful, this);
}

void TableCache::SetNumber(uint32_t number) {
  number_ = number;
  prefix_.clear();
  AppendVarint(number, prefix_);
}

void TableCache::SetOrdered(bool ordered) {
  spec_.ordered = ordered;
  if (!ordered) EndOrder();
}

void TableCache::SetScratch(uint32_t bytes) {
  spec_.scratch = bytes;
  for (uint32_t i = 0; i < entries_; ++i) {
    Entry& entry = At(i);
    if (!entry.Has(kUsed)) continue;
    const uint32_t size = entry.present() ? entry.place.size : 0;
    const size_t wanted =
        Blocks::Rounded(size_t{ValueAt(entry.place.key_size)} + std::max(size, spec_.width) + bytes);
    if (wanted > entry.capacity) MoveTo(entry, static_cast<uint32_t>(wanted), size);
    if (entry.present()) std::memset(entry.place.data + size, 0, bytes);
  }
}

void TableCache::SetShard(uint32_t shard) {
  assert(shard <= UINT16_MAX);
  shard_ = static_cast<uint16_t>(shard);
  for (uint32_t i = 0; i < entries_; ++i)
    At(i).shard = shard_;
}

void TableCache::SetIncomplete() {
  if (store_ != nullptr) complete_ = false;
}

// --- entries ---

// A new entry; one that has to be read is added to misses_: whether it is the first of these.
bool TableCache::Miss(std::string_view key, KeyMark mark, Slot& out) {
  Entry& entry = Create(key, mark);
  out.place_ = &entry.place;
  if (complete_) {
    Settle(entry);
    return false;
  }
  misses_.push_back(&entry);
  return misses_.size() == 1;
}

void TableCache::PrefetchEntry(KeyMark mark) const {
  const uint32_t number = index_.Likely(mark.tag);
  if (number != KeyIndex::kNone) __builtin_prefetch(&At(number));
}

void TableCache::PrefetchBlock(KeyMark mark) const {
  const uint32_t number = index_.Likely(mark.tag);
  if (number != KeyIndex::kNone) __builtin_prefetch(At(number).block);
}

TableCache::Entry& TableCache::Create(std::string_view key, KeyMark mark) {
  uint32_t number = free_;
  if (number == KeyIndex::kNone) {
    if (entries_ % kSlab == 0) {
      auto* slab = static_cast<Entry*>(blocks_.pool().Allocate(kSlab * sizeof(Entry)));
      std::uninitialized_default_construct_n(slab, kSlab);
      slabs_.push_back(slab);
    }
    number = entries_++;
  } else {
    free_ = At(number).tag;
  }
  Entry& entry = At(number);
  entry = Entry{};
  entry.number = number;
  entry.tag = mark.tag;
  entry.flags = kUsed;
  entry.shard = shard_;
  const auto key_size = static_cast<uint32_t>(key.size());
  const uint32_t room = std::max(spec_.width, usual_) + spec_.scratch;
  entry.capacity = static_cast<uint32_t>(Blocks::Rounded(ValueAt(key_size) + room));
  entry.block = static_cast<char*>(blocks_.Allocate(entry.capacity));
  entry.place.key_size = key_size;
  if (key_size != 0) std::memcpy(entry.block, key.data(), key_size);
  entry.prefix = mark.prefix;
  index_.Insert(mark.tag, number);
  Account(entry, CostOf(entry));
  return entry;
}

void TableCache::Release(Entry& entry) {
  if (entry.Has(kIndexed)) DropFromOrder(entry);
  if (entry.Has(kEvictable)) --evictable_;
  if (entry.aside != nullptr) {
    DropImage(entry, entry.aside->collected);
    DropImage(entry, entry.aside->committed);
    DropAsideIfEmpty(entry);
  }
  Account(entry, -CostOf(entry));
  index_.Erase(entry.tag, entry.number);
  blocks_.Free(entry.block, entry.capacity);
  const uint32_t number = entry.number;
  entry = Entry{};
  entry.tag = std::exchange(free_, number);
}

void TableCache::Account(const Entry& entry, int64_t bytes) {
  used_ += bytes;
  budget_.used += bytes;
  if (entry.Has(kPinned)) {
    pinned_ += bytes;
    budget_.pinned += bytes;
  }
}

void TableCache::MoveTo(Entry& entry, uint32_t capacity, uint32_t kept) {
  char* block = static_cast<char*>(blocks_.Allocate(capacity));
  std::memcpy(block, entry.block, ValueAt(entry.place.key_size) + kept);
  blocks_.Free(entry.block, entry.capacity);
  Account(entry, int64_t{capacity} - entry.capacity);
  entry.block = block;
  entry.capacity = capacity;
  if (entry.present()) entry.place.data = block + ValueAt(entry.place.key_size);
}

// Only the value: no flags, no counters of changes.
void TableCache::Resize(Entry& entry, uint32_t size) {
  const uint32_t at = ValueAt(entry.place.key_size);
  const uint32_t old = entry.present() ? entry.place.size : 0;
  if (!entry.present()) usual_ = size <= kUsual ? size : 0;
  if (at + size + spec_.scratch > entry.capacity) {
    // Rows that grow once tend to grow again.
    const size_t wanted = size_t{at} + size + spec_.scratch + (old == 0 ? 0 : size / 4);
    MoveTo(entry, static_cast<uint32_t>(Blocks::Rounded(wanted)), old);
  }
  entry.place.data = entry.block + at;
  entry.place.size = size;
  if (size > old) std::memset(entry.place.data + old, 0, size - old + spec_.scratch);
}

void TableCache::SetValue(Entry& entry, std::string_view value) {
  Resize(entry, static_cast<uint32_t>(value.size()));
  if (!value.empty()) std::memcpy(entry.place.data, value.data(), value.size());
}

// Brings what hangs on an entry's state in line with it; to be called after every change of state.
void TableCache::Settle(Entry& entry) {
  const bool clean = !entry.Has(kUnclean);
  const bool evictable = clean && (store_ != nullptr || !entry.present()) && !entry.Has(kHeld);
  const unsigned wanted = (clean ? 0U : unsigned{kPinned}) | (evictable ? unsigned{kEvictable} : 0U);
  const unsigned changed = (entry.flags ^ wanted) & (kPinned | kEvictable);
  if (changed != 0) SettleCounts(entry, changed);
  if (ordering_) SettleOrder(entry);
}

inline void TableCache::SettleCounts(Entry& entry, unsigned changed) {
  entry.flags = static_cast<uint16_t>(entry.flags ^ changed);
  if ((changed & kPinned) != 0) {
    const int64_t cost = entry.Has(kPinned) ? CostOf(entry) : -CostOf(entry);
    pinned_ += cost;
    budget_.pinned += cost;
  }
  if ((changed & kEvictable) != 0) entry.Has(kEvictable) ? ++evictable_ : --evictable_;
}

void TableCache::DropAll() {
  cursor_.reset();
  dirty_.clear();
  collected_.clear();
  unstored_.clear();
  gone_.clear();
  CountDirty(-static_cast<int64_t>(dirty_bytes_));
  unstored_bytes_ = 0;
  ++drops_;
  BeginEra();
  for (uint32_t i = 0; i < entries_; ++i) {
    Entry& entry = At(i);
    if (!entry.Has(kUsed)) continue;
    if (entry.Has(kUnclean)) {
      entry.Drop(kUnclean);
      Settle(entry);
    }
    if (entry.present()) SetIncomplete();
    Release(entry);
  }
}

void TableCache::Reset() {
  DropAll();
  complete_ = true;
}

void TableCache::BeginEra() {
  ++era_;
  ++budget_.eras;
}

bool TableCache::Sweep(int64_t target) {
  if (evictable_ == 0) clock_ = entries_;
  bool told = false;
  while (clock_ < entries_) {
    Entry& entry = At(clock_++);
    if (!entry.Has(kEvictable)) continue;
    if (!told) BeginEra();
    told = true;
    if (entry.Has(kReferenced)) {
      entry.Drop(kReferenced);
      continue;
    }
    if (entry.present()) complete_ = false;
    ++stats_.evictions;
    Release(entry);
    if (budget_.used <= target) return false;
  }
  clock_ = 0;
  return true;
}

// --- operators ---

Status TableCache::Load(const KeyColumn& keys, std::span<Slot> out) {
  missing_.clear();
  LookUp(
      keys.size(), [&](size_t i) { return keys[i]; }, [this](size_t) -> TableCache& { return *this; }, marks_,
      missing_, out);
  return missing_.empty() ? Status() : ReadMisses();
}

Status TableCache::Load(std::string_view key, Slot& out) {
  return Ask(key, MarkOf(key), out) ? ReadMisses() : Status();
}

Status TableCache::ReadMisses() {
  stats_.misses += misses_.size();
  wanted_.Clear();
  for (const Entry* entry : misses_) {
    wanted_.buffer().append(prefix_).append(entry->key());
    wanted_.EndKey();
  }
  Status status = store_->Read(wanted_, [&](size_t i, std::string_view value) -> Status {
    if (Status s = CheckWidth(value); !s.ok()) return s;
    SetValue(*misses_[i], value);
    misses_[i]->Add(kLogged | kStored);
    return {};
  });
  for (Entry* entry : misses_) {
    if (status.ok()) {
      Settle(*entry);
    } else {
      Release(*entry);  // else it would pass for absent
    }
  }
  misses_.clear();
  return status;
}

char* TableCache::Edit(Slot& slot, uint32_t size) {
  Entry& entry = EntryOf(slot);
  RawTable::Place& place = entry.place;
  const bool settled = entry.Has(kDirty) && entry.present();
  if (!entry.Has(kDirty)) BeginChange(entry);
  if (place.data == nullptr || place.size != size) {
    CountDirty(int64_t{size} - (entry.present() ? place.size : 0));
    Resize(entry, size);
  }
  if (!settled) Settle(entry);
  return place.data;
}

void TableCache::Erase(Slot& slot) {
  if (slot.present()) EraseEntry(EntryOf(slot));
}

void TableCache::EraseEntry(Entry& entry) {
  const bool settled = entry.Has(kDirty) && !entry.Has(kIndexed);
  if (!entry.Has(kDirty)) BeginChange(entry);
  if (entry.present()) CountDirty(-int64_t{entry.place.size});
  entry.place.data = nullptr;
  entry.place.size = 0;
  const auto least =
      static_cast<uint32_t>(Blocks::Rounded(ValueAt(entry.place.key_size) + spec_.width + spec_.scratch));
  if (entry.capacity >= least + 256) MoveTo(entry, least, 0);
  if (!settled) Settle(entry);
  ForgetSoon(entry);
}

void TableCache::CountDirty(int64_t bytes) {
  dirty_bytes_ += static_cast<size_t>(bytes);
  budget_.dirty += bytes;
}

// The caller settles it when the change is done.
void TableCache::BeginChange(Entry& entry) {
  KeepImage(entry);
  entry.Add(kDirty);
  if (!entry.Has(kUnstored)) entry.waiting = static_cast<uint32_t>(dirty_.size());
  dirty_.push_back(&entry);
  CountDirty(kRecordCost + int64_t{entry.place.key_size} + (entry.present() ? entry.place.size : 0));
}

Status TableCache::CheckWidth(std::string_view value) const {
  if (Fits(value)) return {};
  const std::string what = "a row of table `" + spec_.name + "` has " + std::to_string(value.size()) +
                           " bytes instead of " + std::to_string(spec_.width);
  return StoreCorrupt(store_ == nullptr ? "memory" : store_->directory(), what);
}

}  // namespace freshet
