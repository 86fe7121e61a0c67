#include "engine/runtime/merge.h"

#include <algorithm>
#include <tuple>

namespace freshet {

Merge::Merge(std::vector<Feed*> feeds, Pool& pool, const std::vector<PlannedSource>& sources,
             int64_t most_bytes)
    : feeds_(std::move(feeds)), pool_(&pool), most_bytes_(most_bytes) {
  std::sort(feeds_.begin(), feeds_.end(), [&](const Feed* a, const Feed* b) {
    const PlannedSource& x = sources[a->source_index()];
    const PlannedSource& y = sources[b->source_index()];
    return std::tuple(x.role, std::string_view(x.name), a->partition()) <
           std::tuple(y.role, std::string_view(y.name), b->partition());
  });
  block_of_feed_.assign(feeds_.size(), -1);
  heads_.resize(feeds_.size());
  for (size_t i = 0; i < feeds_.size(); ++i)
    Look(i);
}

void Merge::Look(size_t index) {
  const Feed& feed = *feeds_[index];
  Head& head = heads_[index];
  holding_ -= head.holds_back ? 1 : 0;
  finished_ -= head.finished ? 1 : 0;
  head = {.row = feed.has_row() && !feed.has_rejects()};
  if (head.row) {
    head.time = feed.head_time();
    return;
  }
  head.holds_back = feed.holds_back();
  head.finished = feed.finished();
  holding_ += head.holds_back ? 1 : 0;
  finished_ += head.finished ? 1 : 0;
}

Status Merge::Ask(size_t index, const Feed::RejectSink& rejects) {
  block_of_feed_[index] = -1;
  if (Status s = feeds_[index]->Fill(rejects, left_); !s.ok()) return s;
  Look(index);
  return {};
}

// Again after a block came: what lies before its rows may have come after its partition was asked.
Status Merge::AskEmpty(const Feed::RejectSink& rejects) {
  for (bool came = true; came;) {
    came = false;
    for (size_t i = 0; i < feeds_.size(); ++i) {
      if (heads_[i].row) continue;
      if (Status s = Ask(i, rejects); !s.ok()) return s;
      came = came || heads_[i].row;
    }
  }
  return {};
}

// Feeds stand in the order of their rank, so at equal times the first wins.
int Merge::First() const {
  int first = -1;
  Time least = kMaxTime;
  for (size_t i = 0; i < heads_.size(); ++i) {
    if (heads_[i].row && (first < 0 || heads_[i].time < least)) {
      first = static_cast<int>(i);
      least = heads_[i].time;
    }
  }
  return first;
}

Status Merge::Next(size_t most, Gate& gate, const Feed::RejectSink& rejects, SourceBatch& out) {
  out.rows = Batch();
  out.from.clear();
  blocks_.clear();
  picks_.clear();
  bytes_ = 0;
  std::fill(block_of_feed_.begin(), block_of_feed_.end(), -1);
  left_ = most;
  if (Status s = AskEmpty(rejects); !s.ok()) return s;
  while (left_ > 0 && holding_ == 0) {
    const int first = First();
    if (first < 0) break;
    const auto index = static_cast<size_t>(first);
    const Feed& feed = *feeds_[index];
    if (!picks_.empty() && feed.source_index() != out.source) break;
    if (!gate.Admit(feed, feed.head_time())) break;
    if (Status s = Take(index, rejects, out); !s.ok()) return s;
    if (heads_[index].row) continue;
    if (left_ == 0 || bytes_ >= most_bytes_) break;
    if (Status s = Ask(index, rejects); !s.ok()) return s;
    if (!heads_[index].row) continue;
    if (Status s = AskEmpty(rejects); !s.ok()) return s;
  }
  if (!picks_.empty()) Assemble(out);
  return {};
}

Status Merge::Take(size_t index, const Feed::RejectSink& rejects, SourceBatch& out) {
  Feed& feed = *feeds_[index];
  out.source = feed.source_index();
  if (block_of_feed_[index] < 0) {
    block_of_feed_[index] = static_cast<int>(blocks_.size());
    blocks_.push_back(feed.block());
    bytes_ += static_cast<int64_t>(feed.block_bytes());
  }
  picks_.push_back({static_cast<uint32_t>(block_of_feed_[index]), feed.head_row()});
  out.from.push_back({static_cast<uint32_t>(index), feed.head_offset()});
  --left_;
  if (Status s = feed.Take(rejects, left_); !s.ok()) return s;
  Look(index);
  return {};
}

void Merge::Assemble(SourceBatch& out) {
  out.rows = Batch::Merge(*pool_, blocks_, picks_, Batch::Ordinals::kNew);
}

}  // namespace freshet
