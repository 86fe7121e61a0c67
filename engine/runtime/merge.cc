#include "engine/runtime/merge.h"

#include <algorithm>
#include <tuple>

namespace freshet {

Merge::Merge(std::vector<Feed*> feeds, Pool& pool, const std::vector<PlannedSource>& sources)
    : feeds_(std::move(feeds)), pool_(&pool) {
  std::sort(feeds_.begin(), feeds_.end(), [&](const Feed* a, const Feed* b) {
    const PlannedSource& x = sources[a->source_index()];
    const PlannedSource& y = sources[b->source_index()];
    return std::tuple(x.role, std::string_view(x.name), a->partition()) <
           std::tuple(y.role, std::string_view(y.name), b->partition());
  });
  block_of_feed_.assign(feeds_.size(), -1);
}

bool Merge::finished() const {
  return std::all_of(feeds_.begin(), feeds_.end(), [](const Feed* f) { return f->finished(); });
}

Status Merge::Refill(const Feed::RejectSink& rejects) {
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (feeds_[i]->has_row()) continue;
    block_of_feed_[i] = -1;
    if (Status s = feeds_[i]->Fill(rejects); !s.ok()) return s;
  }
  return {};
}

// Feeds stand in the order of their rank, so at equal times the first wins.
int Merge::First() const {
  int first = -1;
  Time least = kMaxTime;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (feeds_[i]->has_row() && (first < 0 || feeds_[i]->head_time() < least)) {
      first = static_cast<int>(i);
      least = feeds_[i]->head_time();
    }
  }
  return first;
}

Status Merge::Next(size_t most, Gate& gate, const Feed::RejectSink& rejects, SourceBatch& out) {
  out.rows = Batch();
  out.from.clear();
  blocks_.clear();
  picks_.clear();
  std::fill(block_of_feed_.begin(), block_of_feed_.end(), -1);
  waits_for_ = nullptr;
  while (picks_.size() < most) {
    if (Status s = Refill(rejects); !s.ok()) return s;
    for (const Feed* feed : feeds_) {
      if (feed->holds_back()) waits_for_ = feed;
    }
    if (waits_for_ != nullptr) break;
    const int first = First();
    if (first < 0) break;
    const auto index = static_cast<size_t>(first);
    Feed& feed = *feeds_[index];
    if (!picks_.empty() && feed.source_index() != out.source) break;
    if (!gate.Admit(feed, feed.head_time())) break;
    out.source = feed.source_index();
    if (block_of_feed_[index] < 0) {
      block_of_feed_[index] = static_cast<int>(blocks_.size());
      blocks_.push_back(feed.block());
    }
    picks_.push_back({static_cast<uint32_t>(block_of_feed_[index]), feed.head_row()});
    out.from.push_back({static_cast<uint32_t>(index), feed.head_offset()});
    if (Status s = feed.Take(rejects); !s.ok()) return s;
  }
  if (!picks_.empty()) Assemble(out);
  return {};
}

void Merge::Assemble(SourceBatch& out) {
  out.rows = Batch::Merge(*pool_, blocks_, picks_, Batch::Ordinals::kNew);
}

}  // namespace freshet
