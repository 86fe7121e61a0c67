#include "state/table_cache.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "state/row_errors.h"
#include "state/table_load.h"

namespace freshet {

namespace {

// Of two texts of more than eight bytes: whether what follows the first eight is the same.
bool SameTail(const char* a, const char* b, size_t size) {
  if (size > 2 * sizeof(uint64_t))
    return std::memcmp(a + sizeof(uint64_t), b + sizeof(uint64_t), size - sizeof(uint64_t)) == 0;
  return std::memcmp(a + size - sizeof(uint64_t), b + size - sizeof(uint64_t), sizeof(uint64_t)) == 0;
}

}  // namespace

TableCache::TableCache(TableSpec spec, RowStore* store, CacheBudget& budget, Blocks& blocks,
                       StoreStats& stats)
    : spec_(std::move(spec)),
      store_(store),
      budget_(budget),
      blocks_(blocks),
      stats_(stats),
      index_(blocks.pool()),
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
  if (spec_.ordered == ordered) return;
  spec_.ordered = ordered;
  for (uint32_t i = 0; i < entries_; ++i) {
    if (At(i).Has(kUsed)) Settle(At(i));
  }
}

void TableCache::SetShard(uint32_t shard) {
  shard_ = static_cast<uint16_t>(shard);
  for (uint32_t i = 0; i < entries_; ++i)
    At(i).shard = shard_;
}

void TableCache::SetIncomplete() {
  if (store_ != nullptr) complete_ = false;
}

// --- entries ---

uint32_t TableCache::TagOf(std::string_view key) {
  return static_cast<uint32_t>(Hash64(key));
}

// A short key is in the entry itself, so that its block is not touched.
TableCache::Entry* TableCache::Find(std::string_view key, uint32_t tag) const {
  const uint64_t prefix = KeyPrefix(key);
  const uint32_t number = index_.Find(tag, [&](uint32_t i) {
    const Entry& entry = At(i);
    return entry.prefix == prefix && entry.place.key_size == key.size() &&
           (key.size() <= sizeof(prefix) || SameTail(entry.block, key.data(), key.size()));
  });
  return number == KeyIndex::kNone ? nullptr : &At(number);
}

// The key's entry, made where there is none.
inline TableCache::Entry& TableCache::Touch(std::string_view key, uint32_t tag) {
  Entry* entry = Find(key, tag);
  if (entry == nullptr) return Miss(key, tag);
  if (!entry->Has(kReferenced)) entry->Add(kReferenced);
  return *entry;
}

// A new entry; one that has to be read is added to misses_.
TableCache::Entry& TableCache::Miss(std::string_view key, uint32_t tag) {
  Entry& entry = Create(key, tag);
  complete_ ? Settle(entry) : misses_.push_back(&entry);
  return entry;
}

void TableCache::PrefetchEntry(uint32_t tag) const {
  const uint32_t number = index_.Likely(tag);
  if (number != KeyIndex::kNone) __builtin_prefetch(&At(number));
}

void TableCache::PrefetchBlock(uint32_t tag) const {
  const uint32_t number = index_.Likely(tag);
  if (number != KeyIndex::kNone) __builtin_prefetch(At(number).block);
}

TableCache::Entry& TableCache::Create(std::string_view key, uint32_t tag) {
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
  entry.tag = tag;
  entry.flags = kUsed;
  entry.shard = shard_;
  const auto key_size = static_cast<uint32_t>(key.size());
  entry.capacity = static_cast<uint32_t>(Blocks::Rounded(ValueAt(key_size) + spec_.width));
  entry.block = static_cast<char*>(blocks_.Allocate(entry.capacity));
  entry.place.key_size = key_size;
  if (key_size != 0) std::memcpy(entry.block, key.data(), key_size);
  entry.prefix = KeyPrefix(key);
  index_.Insert(tag, number);
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

int64_t TableCache::CostOf(const Entry& entry) const {
  size_t cost = kEntryCost + entry.capacity;
  if (entry.aside != nullptr) {
    cost += sizeof(Aside);
    for (const Image* image : {&entry.aside->committed, &entry.aside->collected}) {
      if (image->data != nullptr) cost += Blocks::Rounded(image->size);
    }
  }
  return static_cast<int64_t>(cost);
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
  if (at + size > entry.capacity) {
    // Rows that grow once tend to grow again.
    const size_t wanted = size_t{at} + size + (old == 0 ? 0 : size / 4);
    MoveTo(entry, static_cast<uint32_t>(Blocks::Rounded(wanted)), old);
  }
  entry.place.data = entry.block + at;
  entry.place.size = size;
  if (size > old) std::memset(entry.place.data + old, 0, size - old);
}

void TableCache::SetValue(Entry& entry, std::string_view value) {
  Resize(entry, static_cast<uint32_t>(value.size()));
  if (!value.empty()) std::memcpy(entry.place.data, value.data(), value.size());
}

// Brings what hangs on an entry's state in line with it; to be called after every change of state.
void TableCache::Settle(Entry& entry) {
  const bool clean = !entry.Has(kUnclean);
  if (clean == entry.Has(kPinned)) {
    const int64_t cost = clean ? -CostOf(entry) : CostOf(entry);
    clean ? entry.Drop(kPinned) : entry.Add(kPinned);
    pinned_ += cost;
    budget_.pinned += cost;
  }
  const bool evictable = clean && (store_ != nullptr || !entry.present()) && !entry.Has(kHeld);
  if (evictable != entry.Has(kEvictable)) {
    evictable ? entry.Add(kEvictable) : entry.Drop(kEvictable);
    evictable ? ++evictable_ : --evictable_;
  }
  if (!spec_.ordered && !entry.Has(kIndexed)) return;
  const bool indexed =
      spec_.ordered && (entry.present() ? complete_ || !clean : !clean && entry.Has(kStored));
  if (indexed != entry.Has(kIndexed)) indexed ? AddToOrder(entry) : DropFromOrder(entry);
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
      keys.size(), [&](size_t i) { return keys[i]; }, [this](size_t) -> TableCache& { return *this; }, tags_,
      missing_, out);
  return missing_.empty() ? Status() : ReadMisses();
}

Status TableCache::Load(std::string_view key, Slot& out) {
  return Ask(key, TagOf(key), out) ? ReadMisses() : Status();
}

bool TableCache::Ask(std::string_view key, uint32_t tag, Slot& out) {
  ++stats_.loads;
  const size_t misses = misses_.size();
  out.place_ = &Touch(key, tag).place;
  return misses == 0 && !misses_.empty();
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
  if (!entry.Has(kDirty)) BeginChange(entry);
  if (entry.present()) CountDirty(-int64_t{entry.place.size});
  entry.place.data = nullptr;
  entry.place.size = 0;
  const auto least = static_cast<uint32_t>(Blocks::Rounded(ValueAt(entry.place.key_size) + spec_.width));
  if (entry.capacity >= least + 256) MoveTo(entry, least, 0);
  Settle(entry);
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
