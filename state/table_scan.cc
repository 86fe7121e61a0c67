// Rows in key order: what is in memory merged with what is in the store.
#include <algorithm>
#include <utility>

#include "state/table_cache.h"

namespace freshet {

void TableCache::BeginOrder() {
  ordering_ = true;
  for (uint32_t i = 0; i < entries_; ++i)
    SettleOrder(At(i));
}

void TableCache::EndOrder() {
  const auto cost = static_cast<int64_t>(ordered_.size() + fresh_.size()) * kOrderCost;
  for (uint32_t i = 0; i < entries_; ++i)
    At(i).Drop(kIndexed);
  ordered_.clear();
  fresh_.clear();
  ordering_ = false;
  used_ -= cost;
  budget_.used -= cost;
}

// REQUIRES: ordering_.
void TableCache::SettleOrder(Entry& entry) {
  const bool clean = !entry.Has(kUnclean);
  const bool indexed = entry.present() ? complete_ || !clean : !clean && entry.Has(kStored);
  if (indexed == entry.Has(kIndexed)) return;
  indexed ? AddToOrder(entry) : DropFromOrder(entry);
  // To make it anew then costs little for each of those.
  constexpr uint32_t kRarely = 4;
  if (++unscanned_ / kRarely > entries_) EndOrder();
}

// What an entry costs in the index is not part of what waits for the store.
void TableCache::AddToOrder(Entry& entry) {
  entry.order = static_cast<uint32_t>(fresh_.size());
  fresh_.push_back(&entry);
  entry.Add(kIndexed);
  used_ += kOrderCost;
  budget_.used += kOrderCost;
}

void TableCache::DropFromOrder(Entry& entry) {
  if (entry.order == kSorted) {
    ordered_.erase(InOrder{entry.prefix, &entry});
  } else {
    Entry* last = fresh_.back();
    fresh_[entry.order] = last;
    last->order = entry.order;
    fresh_.pop_back();
  }
  entry.Drop(kIndexed);
  used_ -= kOrderCost;
  budget_.used -= kOrderCost;
}

void TableCache::SortFresh() {
  SortByKey(fresh_);
  auto hint = ordered_.end();
  for (Entry* entry : fresh_) {
    // Ascending, so often right behind the one before.
    hint = std::next(ordered_.insert(hint, InOrder{entry->prefix, entry}));
    entry->order = kSorted;
  }
  fresh_.clear();
}

Status TableCache::Scan(std::string_view begin, std::string_view end,
                        const std::function<bool(std::string_view, std::string_view)>& visit) {
  if (!spec_.ordered)
    return Internal("table `" + spec_.name + "` is scanned but was not declared as ordered");
  unscanned_ = 0;
  if (!ordering_) BeginOrder();
  if (!fresh_.empty()) SortFresh();
  auto mine = ordered_.lower_bound(Probe{KeyPrefix(begin), begin});
  const auto mine_left = [&] { return mine != ordered_.end() && (end.empty() || mine->entry->key() < end); };
  if (complete_) {
    for (; mine_left(); ++mine) {
      if (mine->entry->present() && !visit(mine->entry->key(), mine->entry->value())) return {};
    }
    return {};
  }
  if (!cursor_) cursor_ = store_->Scan(prefix_);
  cursor_->Seek(record_.assign(prefix_).append(begin));
  const auto stored_key = [&] { return cursor_->key().substr(prefix_.size()); };
  const auto stored_left = [&] { return cursor_->valid() && (end.empty() || stored_key() < end); };
  while (true) {
    const bool has_mine = mine_left();
    const bool has_stored = stored_left();
    if (!has_mine && !has_stored) break;
    const int order = !has_stored ? -1 : !has_mine ? 1 : mine->entry->key().compare(stored_key());
    bool go_on = true;
    if (order <= 0) {  // memory is newer
      const Entry& entry = *mine->entry;
      if (entry.present()) go_on = visit(entry.key(), entry.value());
      ++mine;
    } else {
      if (Status s = CheckWidth(cursor_->value()); !s.ok()) return s;
      go_on = visit(stored_key(), cursor_->value());
    }
    if (!go_on) return {};
    if (order >= 0) cursor_->Next();
  }
  return cursor_->status();
}

}  // namespace freshet
