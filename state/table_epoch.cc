// What happens to a table's changes at the ends of epochs.
#include <algorithm>
#include <cstring>

#include "state/table_cache.h"

namespace freshet {

// --- images beside entries ---

void TableCache::KeepImage(Entry& entry) {
  if (!entry.Has(kCollected | kUnstored)) return;
  if (entry.aside == nullptr) {
    entry.aside = new (blocks_.Allocate(sizeof(Aside))) Aside;
    Account(entry, sizeof(Aside));
  }
  Image& image = entry.Has(kCollected) ? entry.aside->collected : entry.aside->committed;
  image = {nullptr, entry.place.size, true};
  if (!entry.present()) return;
  image.data = static_cast<char*>(blocks_.Allocate(image.size));
  Account(entry, static_cast<int64_t>(Blocks::Rounded(image.size)));
  if (image.size != 0) std::memcpy(image.data, entry.place.data, image.size);
}

void TableCache::DropImage(Entry& entry, Image& image) {
  if (image.data != nullptr) {
    blocks_.Free(image.data, image.size);
    Account(entry, -static_cast<int64_t>(Blocks::Rounded(image.size)));
  }
  image = Image{};
}

void TableCache::DropAsideIfEmpty(Entry& entry) {
  if (entry.aside == nullptr || entry.aside->committed.kept || entry.aside->collected.kept) return;
  blocks_.Free(entry.aside, sizeof(Aside));
  entry.aside = nullptr;
  Account(entry, -static_cast<int64_t>(sizeof(Aside)));
}

int64_t TableCache::CostOf(const Aside& aside) {
  size_t cost = sizeof(Aside);
  for (const Image* image : {&aside.committed, &aside.collected}) {
    if (image->data != nullptr) cost += Blocks::Rounded(image->size);
  }
  return static_cast<int64_t>(cost);
}

// REQUIRES: kUnstored, or committed just now. A dirty or collected entry has moved on from its committed
// image, which is then beside it.
std::string_view TableCache::CommittedValue(const Entry& entry, bool& present) const {
  if (entry.Has(kDirty | kCollected) && entry.aside != nullptr && entry.aside->committed.kept) {
    const Image& image = entry.aside->committed;
    present = image.data != nullptr;
    return {image.data, image.size};
  }
  present = entry.present();
  return entry.value();
}

// --- the epoch's end ---

// Entries lie anywhere: those a few places on are asked for while this one is in work.
void TableCache::PrefetchAfter(const std::vector<Entry*>& entries, size_t i) {
  constexpr size_t kAhead = 4;
  if (i + 2 * kAhead < entries.size()) __builtin_prefetch(entries[i + 2 * kAhead]);
  if (i + kAhead < entries.size()) __builtin_prefetch(entries[i + kAhead]->block);
}

// By sixteen bytes of each key that are read once; only where these are the same by the keys themselves.
void TableCache::SortByKey(std::vector<Entry*>& entries) {
  if (entries.size() < 2) return;
  sorted_.clear();
  sorted_.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    PrefetchAfter(entries, i);
    Entry* entry = entries[i];
    const bool more = entry->place.key_size > sizeof(uint64_t);
    sorted_.push_back({entry->prefix, more ? KeyPrefix(entry->key().substr(sizeof(uint64_t))) : 0, entry});
  }
  std::sort(sorted_.begin(), sorted_.end(), [](const ToSort& a, const ToSort& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return a.next != b.next ? a.next < b.next : a.entry->key() < b.entry->key();
  });
  for (size_t i = 0; i < entries.size(); ++i)
    entries[i] = sorted_[i].entry;
}

Status TableCache::Collect(const TaskStore::ChangeSink& sink) {
  SortByKey(dirty_);
  for (size_t i = 0; i < dirty_.size(); ++i) {
    PrefetchAfter(dirty_, i);
    Entry* entry = dirty_[i];
    entry->Drop(kDirty);
    if (!entry->present() && !entry->Has(kLogged)) {
      DropTrace(*entry);
      continue;
    }
    record_.assign(prefix_).append(entry->key());
    std::optional<std::string_view> value;
    if (entry->present()) value = entry->value();
    if (Status s = sink(record_, value); !s.ok()) return s;
    entry->present() ? entry->Add(kLogged) : entry->Drop(kLogged);
    if (entry->Has(kCollected)) {
      if (entry->aside != nullptr) DropImage(*entry, entry->aside->collected);  // this record comes after it
    } else {
      entry->Add(kCollected);
      collected_.push_back(entry);
    }
    DropAsideIfEmpty(*entry);
  }
  dirty_.clear();
  gone_.clear();
  CountDirty(-static_cast<int64_t>(dirty_bytes_));
  return {};
}

// The entry is absent, and so is its last image in the changelog: nothing has changed.
void TableCache::DropTrace(Entry& entry) {
  if (entry.aside != nullptr) {
    DropImage(entry, entry.Has(kCollected) ? entry.aside->collected : entry.aside->committed);
    DropAsideIfEmpty(entry);
  }
  entry.Has(kUnclean | kHeld) ? Settle(entry) : Release(entry);
}

// Made and erased since the last Collect: nobody but the list of dirty ones knows of it. `waiting` may be of
// another list by now, so it is looked up there.
bool TableCache::LeavesNoTrace(const Entry& entry) const {
  return !entry.present() && entry.Has(kDirty) && !entry.Has(kTraces) && entry.waiting < dirty_.size() &&
         dirty_[entry.waiting] == &entry;
}

void TableCache::Forget() {
  for (Entry* entry : gone_) {
    if (!LeavesNoTrace(*entry)) continue;  // made again, or forgotten already
    Entry* last = dirty_.back();
    dirty_[entry->waiting] = last;
    if (!last->Has(kUnstored)) last->waiting = entry->waiting;
    dirty_.pop_back();
    CountDirty(-(kRecordCost + int64_t{entry->place.key_size}));
    Release(*entry);
  }
  gone_.clear();
}

void TableCache::Committed() {
  for (size_t i = 0; i < collected_.size(); ++i) {
    PrefetchAfter(collected_, i);
    Entry* entry = collected_[i];
    bool present = false;
    if (entry->Has(kUnstored))
      unstored_bytes_ -= entry->place.key_size + CommittedValue(*entry, present).size();
    if (entry->aside != nullptr) {
      Aside& aside = *entry->aside;
      DropImage(*entry, aside.committed);
      std::swap(aside.committed, aside.collected);  // kept only where the entry has been changed since
      DropAsideIfEmpty(*entry);
    }
    entry->Drop(kCollected);
    WaitForStore(*entry);
  }
  collected_.clear();
}

// An entry's newest committed image waits for the store. One that came and went since the last Flush, unseen
// by the store, waits for nothing, unless only the entry knows that the store has no such row.
void TableCache::WaitForStore(Entry& entry) {
  bool present = false;
  const size_t bytes = entry.place.key_size + CommittedValue(entry, present).size();
  if (present || entry.Has(kStored) || !complete_) {
    unstored_bytes_ += bytes;
    if (!entry.Has(kUnstored)) {
      entry.Add(kUnstored);
      entry.waiting = static_cast<uint32_t>(unstored_.size());
      unstored_.push_back(&entry);
    }
    Settle(entry);
    return;
  }
  if (entry.Has(kUnstored)) {
    Entry* last = unstored_.back();
    unstored_[entry.waiting] = last;
    last->waiting = entry.waiting;
    unstored_.pop_back();
    entry.Drop(kUnstored);
  }
  if (entry.aside != nullptr) {
    DropImage(entry, entry.aside->committed);
    DropAsideIfEmpty(entry);
  }
  entry.Has(kUnclean | kHeld) ? Settle(entry) : Release(entry);
}

void TableCache::AddUnstored(RowBatch& batch) {
  SortByKey(unstored_);  // a memtable takes ascending keys faster
  for (size_t i = 0; i < unstored_.size(); ++i) {
    Entry* entry = unstored_[i];
    entry->waiting = static_cast<uint32_t>(i);
    bool present = false;
    const std::string_view value = CommittedValue(*entry, present);
    if (!present && !entry->Has(kStored)) continue;  // came and went since the last Flush
    record_.assign(prefix_).append(entry->key());
    present ? batch.Put(record_, value) : batch.Delete(record_);
  }
}

void TableCache::Stored() {
  cursor_.reset();
  for (size_t i = 0; i < unstored_.size(); ++i) {
    PrefetchAfter(unstored_, i);
    Entry* entry = unstored_[i];
    bool present = false;
    CommittedValue(*entry, present);
    present&& store_ != nullptr ? entry->Add(kStored) : entry->Drop(kStored);
    if (entry->aside != nullptr) {
      DropImage(*entry, entry->aside->committed);
      DropAsideIfEmpty(*entry);
    }
    entry->Drop(kUnstored);
    entry->Has(kUnclean | kHeld) || entry->present() ? Settle(*entry) : Release(*entry);
  }
  unstored_.clear();
  unstored_bytes_ = 0;
}

// --- restore ---

void TableCache::ApplyInMemory(std::string_view key, std::optional<std::string_view> value) {
  ++drops_;
  BeginEra();
  const KeyMark mark = MarkOf(key);
  Entry* entry = Find(key, mark);
  if (!value) {
    if (entry != nullptr) Release(*entry);
    return;
  }
  if (entry == nullptr) entry = &Create(key, mark);
  SetValue(*entry, *value);
  entry->Add(kLogged);
  Settle(*entry);
}

}  // namespace freshet
