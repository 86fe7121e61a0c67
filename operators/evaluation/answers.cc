#include "operators/evaluation/answers.h"

#include <algorithm>
#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {
namespace {

// How many of `size` entries in order are below `bound`; `at`: the one at a place.
template <class At>
size_t CountBelow(size_t size, int64_t bound, const At& at) {
  if (size == 0 || at(size - 1) < bound) return size;  // what comes as a rule
  size_t below = 0;
  for (size_t left = size; left > 1;) {
    const size_t half = left / 2;
    below += at(below + half - 1) < bound ? half : 0;  // no branch: it could not be foretold
    left -= half;
  }
  return below + (at(below) < bound ? 1 : 0);
}

}  // namespace

size_t Answers::Row::Below(Entry bound) const {
  return CountBelow(entries.size(), bound, [this](size_t i) { return entries[i]; });
}

void Answers::Row::CountPositives(size_t count) {
  for (size_t i = counted_.size(); i < count; ++i)
    counted_.push_back((i == 0 ? 0 : counted_[i - 1]) + static_cast<uint32_t>(entries[i] & 1));
}

void Answers::Row::ChangedFrom(size_t place) {
  if (counted_.size() > place) counted_.resize(place);
}

void Answers::Row::CutFrom(Row& row, size_t count) {
  const int64_t positives = row.PositivesOf(count);
  const auto cut = static_cast<std::ptrdiff_t>(count);
  before = row.before;
  entries.assign(row.entries.begin(), row.entries.begin() + cut);
  counted_.assign(row.counted_.begin(), row.counted_.begin() + cut);
  row.before.labels += static_cast<int64_t>(count);
  row.before.positives += positives;
  row.entries.erase(row.entries.begin(), row.entries.begin() + cut);
  row.ChangedFrom(0);
}

void Answers::History::Begin(std::string_view key) {
  key_.assign(key);
  loaded_ = false;
  slot_era_ = kNone;
  for (Chunk& chunk : chunks_)
    chunk.number = -1;
  second_.number = -1;
}

Answers::Entry Answers::Stored::At(size_t i) const {
  Entry entry = 0;
  std::memcpy(&entry, bytes.data() + i * sizeof(Entry), sizeof(Entry));
  return entry;
}

size_t Answers::Stored::Below(Entry bound) const {
  return CountBelow(size(), bound, [this](size_t i) { return At(i); });
}

// REQUIRES: slot.present().
Status Answers::Read(const RawTable::Slot& slot, bool is_head, Stored& stored) {
  stored.bytes = slot.bytes();
  bool good = TakeFixed(stored.bytes, stored.before);
  if (is_head) good = good && TakeFixed(stored.bytes, stored.first) && TakeFixed(stored.bytes, stored.last);
  if (good && !stored.bytes.empty() && stored.bytes.size() % sizeof(Entry) == 0) return {};
  return {Code::kCorrupt, "a history of labels in the state is cut short"};
}

Status Answers::Parse(const RawTable::Slot& slot, bool is_head, Row& row) {
  row.entries.clear();
  row.ChangedFrom(0);
  Stored stored;
  if (slot.present()) {
    if (Status s = Read(slot, is_head, stored); !s.ok()) return s;
    row.entries.resize(stored.size());
    std::memcpy(row.entries.data(), stored.bytes.data(), stored.bytes.size());
  }
  row.before = stored.before;
  row.first = stored.first;
  row.last = stored.last;
  return {};
}

Status Answers::FetchSlot(History& history) {
  if (Status s = table_.Load(history.key_, history.slot_); !s.ok()) return s;
  history.slot_era_ = history.slot_.present() ? era_ : kNone;
  return {};
}

Status Answers::FetchHead(History& history) {
  if (Status s = LoadSlot(history); !s.ok()) return s;
  if (Status s = Parse(history.slot_, true, history.head_); !s.ok()) return s;
  history.loaded_ = true;
  return {};
}

void Answers::Store(bool is_head, RawTable::Slot& slot, const Row& row) {
  const size_t prefix = sizeof(Counts) + (is_head ? 2 * sizeof(uint32_t) : 0);
  const size_t size = prefix + row.entries.size() * sizeof(Entry);
  char* to = table_.Edit(slot, static_cast<uint32_t>(size));
  std::memcpy(to, &row.before, sizeof(Counts));
  if (is_head) {
    std::memcpy(to + sizeof(Counts), &row.first, sizeof(uint32_t));
    std::memcpy(to + sizeof(Counts) + sizeof(uint32_t), &row.last, sizeof(uint32_t));
  }
  if (!row.entries.empty()) std::memcpy(to + prefix, row.entries.data(), row.entries.size() * sizeof(Entry));
}

// Of a head that differs from its row by its last entry alone.
void Answers::StoreLast(RawTable::Slot& slot, size_t entries, Entry last) {
  const size_t size = sizeof(Counts) + 2 * sizeof(uint32_t) + entries * sizeof(Entry);
  char* to = table_.Edit(slot, static_cast<uint32_t>(size));
  std::memcpy(to + size - sizeof(Entry), &last, sizeof(Entry));
}

std::string_view Answers::ChunkKey(const History& history, uint32_t number) {
  chunk_key_.assign(history.key_);
  chunk_key_.push_back('#');
  AppendFixed(number, chunk_key_);
  return chunk_key_;
}

Status Answers::LoadChunk(History& history, uint32_t number, Row*& row) {
  Chunk& chunk = history.chunks_[history.PlaceOf(number)];
  row = &history.rows_[history.PlaceOf(number)];
  if (chunk.number == number) return {};
  RawTable::Slot slot;
  chunk.number = -1;
  if (Status s = table_.Load(ChunkKey(history, number), slot); !s.ok()) return s;
  if (!slot.present()) return {Code::kCorrupt, "a part of a history of labels is missing in the state"};
  if (Status s = Parse(slot, false, *row); !s.ok()) return s;
  chunk = {number, row->entries.front()};
  return {};
}

Status Answers::StoreChunk(const History& history, uint32_t number, const Row& row) {
  RawTable::Slot slot;
  if (Status s = table_.Load(ChunkKey(history, number), slot); !s.ok()) return s;
  Store(false, slot, row);
  return {};
}

Status Answers::Find(History& history, Entry bound, Row*& row, uint32_t& number) {
  const uint32_t first = history.head_.first;
  uint32_t above = history.head_.last;  // this and all after begin at the bound or later
  uint32_t step = 1;
  bool found = false;
  Entry front = 0;
  while (above > first && !found) {
    number = above - std::min(step, above - first);
    if (Status s = FrontOf(history, number, front); !s.ok()) return s;
    found = front < bound;
    if (!found) above = number;
    step *= 2;
  }
  if (!found) {
    row = nullptr;
    return {};
  }
  while (number + 1 < above) {
    const uint32_t middle = number + (above - number) / 2;
    if (Status s = FrontOf(history, middle, front); !s.ok()) return s;
    (front < bound ? number : above) = middle;
  }
  return LoadChunk(history, number, row);
}

Status Answers::Seek(History& history, Time before, Row*& row, size_t& count) {
  row = nullptr;
  if (Status s = LoadHead(history); !s.ok() || history.head_.entries.empty()) return s;
  const Entry bound = before * 2;
  row = &history.head_;
  if (row->entries.front() >= bound) {
    uint32_t number = 0;
    if (Status s = Find(history, bound, row, number); !s.ok() || row == nullptr) return s;
  }
  count = row->Below(bound);
  return {};
}

Status Answers::Before(History& history, Time before, Known& known) {
  known = {};
  Row* row = nullptr;
  size_t count = 0;
  if (Status s = Seek(history, before, row, count); !s.ok() || row == nullptr) return s;
  known.labels = row->before.labels + static_cast<int64_t>(count);
  known.positives = row->before.positives + row->PositivesOf(count);
  known.last = (row->entries[count - 1] & 1) != 0;
  return {};
}

// Not done where older chunks are asked for.
Status Answers::FindLast(History& history, Entry bound, std::optional<bool>& last, bool& is_done) {
  is_done = false;
  if (Status s = LoadSlot(history); !s.ok()) return s;
  Stored head;
  if (history.slot_.present()) {
    if (Status s = Read(history.slot_, true, head); !s.ok()) return s;
  }
  const size_t count = head.Below(bound);
  is_done = count > 0 || head.first == head.last;
  if (count > 0) last = (head.At(count - 1) & 1) != 0;
  return {};
}

Status Answers::LastBefore(History& history, Time before, std::optional<bool>& last) {
  last.reset();
  if (history.is_in_table()) {
    bool is_done = false;
    if (Status s = FindLast(history, before * 2, last, is_done); !s.ok() || is_done) return s;
  }
  Row* row = nullptr;
  size_t count = 0;
  if (Status s = Seek(history, before, row, count); !s.ok() || row == nullptr) return s;
  last = (row->entries[count - 1] & 1) != 0;
  return {};
}

// Not done where it is not the last entry by time, or one too many.
Status Answers::Append(History& history, Entry entry, bool& is_done) {
  is_done = false;
  if (Status s = LoadSlot(history); !s.ok() || !history.slot_.present()) return s;
  Stored head;
  if (Status s = Read(history.slot_, true, head); !s.ok()) return s;
  const size_t count = head.size();
  const Entry after = (entry & ~Entry{1}) + 2;
  is_done = count < kFull && head.At(count - 1) < after;
  if (is_done) StoreLast(history.slot_, count + 1, entry);
  return {};
}

Status Answers::Add(History& history, Time time, bool label, Time horizon) {
  const Entry entry = time * 2 + (label ? 1 : 0);
  if (history.is_in_table()) {
    bool is_done = false;
    if (Status s = Append(history, entry, is_done); !s.ok() || is_done) return s;
  }
  if (Status s = LoadHead(history); !s.ok()) return s;
  Row& head = history.head_;
  std::vector<Entry>& entries = head.entries;
  if (!entries.empty() && time * 2 < (entries.front() & ~Entry{1}) && head.first < head.last)
    return AddLate(history, entry);
  if (Status s = LoadSlot(history); !s.ok()) return s;
  RawTable::Slot& slot = history.slot_;
  const size_t place = head.Below((time + 1) * 2);
  if (entries.size() < kFull && place == entries.size()) {
    entries.push_back(entry);
    if (entries.size() == 1) {
      Store(true, slot, head);
    } else {
      StoreLast(slot, entries.size(), entry);
    }
    return {};
  }
  if (entries.size() >= kFull && place >= entries.size() / 2) {
    if (Status s = Split(history, place, horizon); !s.ok()) return s;
    entries.insert(entries.begin(), entry);
    head.ChangedFrom(0);
  } else {
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(place), entry);
    head.ChangedFrom(place);
  }
  Store(true, slot, head);
  return {};
}

// Moves the entries of the head before `at` into a chunk of their own, and lets go of chunks nobody asks for.
Status Answers::Split(History& history, size_t at, Time horizon) {
  Row& head = history.head_;
  const size_t place = history.PlaceOf(head.last);
  Row& row = history.rows_[place];
  history.chunks_[place] = {head.last, head.entries.front()};
  row.CutFrom(head, at);
  if (Status s = StoreChunk(history, head.last, row); !s.ok()) return s;
  ++head.last;
  return LetGo(history, horizon);
}

// A chunk is asked for as long as the one after it does not begin before the horizon.
Status Answers::LetGo(History& history, Time horizon) {
  Row& head = history.head_;
  while (head.first + 1 < head.last) {
    // Far from what else is asked for; and no late label is put before its first entry.
    Chunk& second = history.second_;
    if (second.number != head.first + 1) {
      if (Status s = FrontOf(history, head.first + 1, second.front); !s.ok()) return s;
      second.number = head.first + 1;
    }
    if (second.front >= horizon * 2) break;
    RawTable::Slot slot;
    if (Status s = table_.Load(ChunkKey(history, head.first), slot); !s.ok()) return s;
    table_.Erase(slot);
    Chunk& gone = history.chunks_[history.PlaceOf(head.first)];
    if (gone.number == head.first) gone.number = -1;
    ++head.first;
  }
  return {};
}

// Adds a label older than all of the head.
Status Answers::AddLate(History& history, Entry entry) {
  Row& head = history.head_;
  const Entry after = (entry & ~Entry{1}) + 2;
  Row* row = nullptr;
  uint32_t number = 0;
  if (Status s = Find(history, after, row, number); !s.ok()) return s;
  const bool found = row != nullptr;
  if (!found) {
    number = head.first;
    if (Status s = LoadChunk(history, number, row); !s.ok()) return s;
  }
  // Older than all that is left after some went: it went with them.
  const bool gone = !found && head.first > 0;
  if (gone) {
    ++row->before.labels;
    row->before.positives += entry & 1;
  } else {
    const size_t at = row->Below(after);
    row->entries.insert(row->entries.begin() + static_cast<std::ptrdiff_t>(at), entry);
    row->ChangedFrom(at);
    history.chunks_[history.PlaceOf(number)].front = row->entries.front();
  }
  if (Status s = StoreChunk(history, number, *row); !s.ok()) return s;
  for (++number; number < head.last; ++number) {
    if (Status s = LoadChunk(history, number, row); !s.ok()) return s;
    ++row->before.labels;
    row->before.positives += entry & 1;
    if (Status s = StoreChunk(history, number, *row); !s.ok()) return s;
  }
  ++head.before.labels;
  head.before.positives += entry & 1;
  if (Status s = LoadSlot(history); !s.ok()) return s;
  Store(true, history.slot_, head);
  return {};
}

}  // namespace freshet
