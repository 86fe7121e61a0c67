#include "operators/evaluation/answers.h"

#include <algorithm>
#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {

Status Answers::Load(std::string_view key, bool is_head, Row& row) {
  row.before = {};
  row.first = row.last = 0;
  row.entries.clear();
  if (Status s = table_.Load(key, row.slot); !s.ok() || !row.slot.present()) return s;
  std::string_view bytes = row.slot.bytes();
  bool good = TakeFixed(bytes, row.before);
  if (is_head) good = good && TakeFixed(bytes, row.first) && TakeFixed(bytes, row.last);
  if (!good || bytes.size() % sizeof(Entry) != 0) {
    return {Code::kCorrupt, "a history of labels in the state is cut short"};
  }
  row.entries.resize(bytes.size() / sizeof(Entry));
  if (!bytes.empty()) std::memcpy(row.entries.data(), bytes.data(), bytes.size());
  return {};
}

void Answers::Store(bool is_head, Row& row) {
  const size_t prefix = sizeof(Counts) + (is_head ? 2 * sizeof(uint32_t) : 0);
  const size_t size = prefix + row.entries.size() * sizeof(Entry);
  char* to = table_.Edit(row.slot, static_cast<uint32_t>(size));
  std::memcpy(to, &row.before, sizeof(Counts));
  if (is_head) {
    std::memcpy(to + sizeof(Counts), &row.first, sizeof(uint32_t));
    std::memcpy(to + sizeof(Counts) + sizeof(uint32_t), &row.last, sizeof(uint32_t));
  }
  if (!row.entries.empty()) std::memcpy(to + prefix, row.entries.data(), row.entries.size() * sizeof(Entry));
}

Status Answers::LoadChunk(std::string_view key, uint32_t number, Row& row) {
  chunk_key_.assign(key);
  chunk_key_.push_back('#');
  AppendFixed(number, chunk_key_);
  if (Status s = Load(chunk_key_, false, row); !s.ok()) return s;
  if (!row.entries.empty()) return {};
  return {Code::kCorrupt, "a part of a history of labels is missing in the state"};
}

Status Answers::Find(std::string_view key, Entry bound, bool& found, uint32_t& number) {
  found = false;
  uint32_t above = head_.last;  // this and all after begin at the bound or later
  uint32_t step = 1;
  while (above > head_.first && !found) {
    number = above - std::min(step, above - head_.first);
    if (Status s = LoadChunk(key, number, chunk_); !s.ok()) return s;
    found = chunk_.entries.front() < bound;
    if (!found) above = number;
    step *= 2;
  }
  if (!found) return {};
  uint32_t loaded = number;
  while (number + 1 < above) {
    const uint32_t middle = number + (above - number) / 2;
    if (Status s = LoadChunk(key, middle, chunk_); !s.ok()) return s;
    loaded = middle;
    (chunk_.entries.front() < bound ? number : above) = middle;
  }
  return loaded == number ? Status() : LoadChunk(key, number, chunk_);
}

Status Answers::Before(std::string_view key, Time before, Known& known) {
  known = {};
  if (Status s = Load(key, true, head_); !s.ok() || !head_.slot.present()) return s;
  const Entry bound = before * 2;
  const Row* row = &head_;
  if (head_.entries.front() >= bound) {
    bool found = false;
    uint32_t number = 0;
    if (Status s = Find(key, bound, found, number); !s.ok() || !found) return s;
    row = &chunk_;
  }
  // By time alone: entries of one moment are in the order they were added, not that of their labels.
  const auto end = std::partition_point(row->entries.begin(), row->entries.end(),
                                        [bound](Entry entry) { return entry < bound; });
  known.labels = row->before.labels + (end - row->entries.begin());
  known.positives = row->before.positives;
  for (auto entry = row->entries.begin(); entry != end; ++entry)
    known.positives += *entry & 1;
  known.last = (*(end - 1) & 1) != 0;
  return {};
}

Status Answers::Add(std::string_view key, Time time, bool label, Time horizon) {
  const Entry entry = time * 2 + (label ? 1 : 0);
  if (Status s = Load(key, true, head_); !s.ok()) return s;
  std::vector<Entry>& entries = head_.entries;
  if (!entries.empty() && time * 2 < (entries.front() & ~Entry{1}) && head_.first < head_.last)
    return AddLate(key, entry);
  const auto at =
      std::partition_point(entries.begin(), entries.end(), [time](Entry e) { return e < (time + 1) * 2; });
  const auto place = static_cast<size_t>(at - entries.begin());
  if (entries.size() >= kFull && place >= entries.size() / 2) {
    if (Status s = Split(key, place, horizon); !s.ok()) return s;
    entries.insert(entries.begin(), entry);
  } else {
    entries.insert(at, entry);
  }
  Store(true, head_);
  return {};
}

// Moves the entries of head_ before `at` into a chunk of their own, and lets go of chunks nobody asks for.
Status Answers::Split(std::string_view key, size_t at, Time horizon) {
  const auto end = head_.entries.begin() + static_cast<std::ptrdiff_t>(at);
  chunk_key_.assign(key);
  chunk_key_.push_back('#');
  AppendFixed(head_.last, chunk_key_);
  if (Status s = Load(chunk_key_, false, chunk_); !s.ok()) return s;
  chunk_.before = head_.before;
  chunk_.entries.assign(head_.entries.begin(), end);
  Store(false, chunk_);
  ++head_.last;
  head_.before.labels += static_cast<int64_t>(at);
  for (const Entry entry : chunk_.entries)
    head_.before.positives += entry & 1;
  head_.entries.erase(head_.entries.begin(), end);
  // A chunk is asked for as long as the one after it does not begin before the horizon.
  while (head_.first + 1 < head_.last) {
    if (Status s = LoadChunk(key, head_.first + 1, chunk_); !s.ok()) return s;
    if (chunk_.entries.front() >= horizon * 2) break;
    if (Status s = LoadChunk(key, head_.first, chunk_); !s.ok()) return s;
    table_.Erase(chunk_.slot);
    ++head_.first;
  }
  return {};
}

// Adds a label older than all of head_.
Status Answers::AddLate(std::string_view key, Entry entry) {
  const Entry after = (entry & ~Entry{1}) + 2;
  bool found = false;
  uint32_t number = 0;
  if (Status s = Find(key, after, found, number); !s.ok()) return s;
  if (!found) {
    number = head_.first;
    if (Status s = LoadChunk(key, number, chunk_); !s.ok()) return s;
  }
  // Older than all that is left after some went: it went with them.
  const bool gone = !found && head_.first > 0;
  if (gone) {
    ++chunk_.before.labels;
    chunk_.before.positives += entry & 1;
  } else {
    const auto at = std::partition_point(chunk_.entries.begin(), chunk_.entries.end(),
                                         [after](Entry e) { return e < after; });
    chunk_.entries.insert(at, entry);
  }
  Store(false, chunk_);
  for (++number; number < head_.last; ++number) {
    if (Status s = LoadChunk(key, number, chunk_); !s.ok()) return s;
    ++chunk_.before.labels;
    chunk_.before.positives += entry & 1;
    Store(false, chunk_);
  }
  ++head_.before.labels;
  head_.before.positives += entry & 1;
  Store(true, head_);
  return {};
}

}  // namespace freshet
