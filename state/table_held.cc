// For callers who know their rows without reading them: the timers and the catalog.
#include <cstring>

#include "state/table_cache.h"

namespace freshet {

void TableCache::Overwrite(std::string_view key, std::string_view value, bool maybe_stored) {
  const KeyMark mark = MarkOf(key);
  Entry* entry = Find(key, mark);
  if (entry == nullptr) {
    entry = &Create(key, mark);
    if (maybe_stored && !complete_) entry->Add(kLogged | kStored);
  }
  if (entry->present() && entry->value() == value) return;
  Slot slot;
  slot.place_ = &entry->place;
  char* data = Edit(slot, static_cast<uint32_t>(value.size()));
  if (!value.empty()) std::memcpy(data, value.data(), value.size());
}

void TableCache::Remove(std::string_view key) {
  const KeyMark mark = MarkOf(key);
  Entry* entry = Find(key, mark);
  if (entry != nullptr) {
    if (entry->present()) EraseEntry(*entry);
    return;
  }
  if (complete_) return;
  entry = &Create(key, mark);
  entry->Add(kLogged | kStored);
  BeginChange(*entry);
  Settle(*entry);
}

bool TableCache::Hold(std::string_view key, bool stored, Slot& out) {
  const KeyMark mark = MarkOf(key);
  Entry* entry = Find(key, mark);
  const bool is_new = entry == nullptr;
  if (is_new) {
    entry = &Create(key, mark);
    if (stored) {
      SetValue(*entry, {});
      entry->Add(kLogged | kStored);
    }
  }
  out.place_ = &entry->place;
  if (entry->Has(kHeld)) return false;
  entry->Add(kHeld);
  if (!is_new || stored) Settle(*entry);  // nothing hangs on an absent one that is new and held
  return true;
}

void TableCache::LetGo(const Slot& slot) {
  Entry& entry = EntryOf(slot);
  entry.Drop(kHeld);
  if (entry.Has(kUnclean)) return ForgetSoon(entry);
  entry.present() ? Settle(entry) : Release(entry);
}

bool TableCache::Peek(std::string_view key, Slot& out) const {
  Entry* entry = Find(key, MarkOf(key));
  out.place_ = entry == nullptr ? nullptr : &entry->place;
  return entry != nullptr;
}

}  // namespace freshet
