#include "operators/evaluation/tallies.h"

#include <algorithm>
#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {
namespace {

constexpr char kLog = 'l';
constexpr char kHistogram = 'h';

}  // namespace

std::vector<TableSpec> Tallies::Tables(uint32_t layout) {
  return {{"tallies", layout, false, sizeof(SeriesTally)}, {"steps", layout, false, 0}};
}

std::string_view Tallies::KeyOf(const TallyId& id, std::string& key) {
  key.assign(id.series);
  key.push_back(static_cast<char>(id.kind));
  AppendOrdered(id.start, key);
  return key;
}

std::string_view Tallies::RowKey(std::string_view key, char kind, bool label, uint32_t number) {
  row_key_.assign(key);
  row_key_.push_back(kind);
  row_key_.push_back(label ? '\1' : '\0');
  AppendFixed(number, row_key_);
  return row_key_;
}

Status Tallies::IsOpen(const TallyId& id, bool& is_open) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok()) return s;
  is_open = slot.present() && slot.Get().closed == 0;
  return {};
}

Status Tallies::IsClosed(const TallyId& id, bool& is_closed) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok()) return s;
  is_closed = slot.present() && slot.Get().closed != 0;
  return {};
}

Status Tallies::SetClosed(const TallyId& id) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok()) return s;
  SeriesTally tally = slot.GetOr({});
  tally.closed = 1;
  tallies_.Put(slot, tally);
  return {};
}

Status Tallies::Add(const TallyId& id, std::span<const Scored> examples, bool& is_new) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok()) return s;
  is_new = !slot.present();
  SeriesTally tally = slot.GetOr({});
  steps_of_[0].clear();
  steps_of_[1].clear();
  for (const Scored& example : examples) {
    tally.sums.Add(example);
    steps_of_[example.label ? 1 : 0].push_back(Histogram::StepOf(example.probability));
  }
  for (const bool label : {false, true}) {
    if (Status s = AppendSteps(key, label, steps_of_[label ? 1 : 0], tally); !s.ok()) return s;
  }
  tallies_.Put(slot, tally);
  return {};
}

Status Tallies::AppendSteps(std::string_view key, bool label, std::span<const uint16_t> steps,
                            SeriesTally& tally) {
  uint32_t& logged = tally.logged[label ? 1 : 0];
  while (!steps.empty()) {
    if (logged == kLongestLog) {
      if (Status s = Compact(key, tally); !s.ok()) return s;
    }
    const uint32_t in_chunk = logged % kChunk;
    const size_t count = std::min<size_t>(steps.size(), kChunk - in_chunk);
    RawTable::Slot slot;
    if (Status s = steps_->Load(RowKey(key, kLog, label, logged / kChunk), slot); !s.ok()) return s;
    const size_t size = (in_chunk + count) * sizeof(uint16_t);
    char* chunk = steps_->Edit(slot, static_cast<uint32_t>(size));
    std::memcpy(chunk + in_chunk * sizeof(uint16_t), steps.data(), count * sizeof(uint16_t));
    logged += static_cast<uint32_t>(count);
    steps = steps.subspan(count);
  }
  return {};
}

template <class Visit>
Status Tallies::VisitSteps(std::string_view key, const SeriesTally& tally, Visit visit) {
  for (const bool label : {false, true}) {
    uint32_t left = tally.logged[label ? 1 : 0];
    for (uint32_t number = 0; left > 0; ++number) {
      RawTable::Slot slot;
      if (Status s = steps_->Load(RowKey(key, kLog, label, number), slot); !s.ok()) return s;
      const uint32_t count = std::min(left, kChunk);
      if (slot.bytes().size() != count * sizeof(uint16_t)) {
        return {Code::kCorrupt, "probabilities kept by an evaluate are missing in the state"};
      }
      copied_.resize(count);  // the row may move while it is visited
      std::memcpy(copied_.data(), slot.data(), count * sizeof(uint16_t));
      if (Status s = visit(label, std::span<const uint16_t>(copied_)); !s.ok()) return s;
      left -= count;
    }
  }
  return {};
}

template <class Visit>
Status Tallies::VisitBlocks(std::string_view key, Visit visit) {
  uint64_t counts[kBlock];
  for (const bool label : {false, true}) {
    for (uint32_t number = 0; number < Histogram::kSteps / kBlock; ++number) {
      RawTable::Slot slot;
      if (Status s = steps_->Load(RowKey(key, kHistogram, label, number), slot); !s.ok()) return s;
      if (!slot.present()) continue;
      if (slot.size() != kBlock * sizeof(uint64_t)) {
        return {Code::kCorrupt, "a histogram kept by an evaluate is cut short in the state"};
      }
      std::memcpy(counts, slot.data(), sizeof(counts));
      if (Status s = visit(label, number * kBlock, std::span<const uint64_t>(counts)); !s.ok()) return s;
    }
  }
  return {};
}

Status Tallies::AddBlock(std::string_view key, bool label, size_t first, std::span<const uint64_t> counts) {
  if (std::all_of(counts.begin(), counts.end(), [](uint64_t count) { return count == 0; })) return {};
  RawTable::Slot slot;
  const auto number = static_cast<uint32_t>(first / kBlock);
  if (Status s = steps_->Load(RowKey(key, kHistogram, label, number), slot); !s.ok()) return s;
  char* bytes = steps_->Edit(slot, kBlock * sizeof(uint64_t));
  uint64_t sums[kBlock];
  std::memcpy(sums, bytes, sizeof(sums));
  for (size_t i = 0; i < kBlock; ++i)
    sums[i] += counts[i];
  std::memcpy(bytes, sums, sizeof(sums));
  return {};
}

// Moves the log into the histogram.
Status Tallies::Compact(std::string_view key, SeriesTally& tally) {
  std::vector<uint64_t> counts[2] = {std::vector<uint64_t>(Histogram::kSteps),
                                     std::vector<uint64_t>(Histogram::kSteps)};
  Status read = VisitSteps(key, tally, [&](bool label, std::span<const uint16_t> steps) -> Status {
    for (const uint16_t step : steps)
      ++counts[label ? 1 : 0][step];
    return {};
  });
  if (!read.ok()) return read;
  if (Status s = EraseLog(key, tally); !s.ok()) return s;
  tally.logged[0] = tally.logged[1] = 0;
  tally.compacted = 1;
  for (const bool label : {false, true}) {
    for (size_t first = 0; first < Histogram::kSteps; first += kBlock) {
      const std::span<const uint64_t> block(counts[label ? 1 : 0].data() + first, kBlock);
      if (Status s = AddBlock(key, label, first, block); !s.ok()) return s;
    }
  }
  return {};
}

Status Tallies::Merge(const TallyId& from_id, const TallyId& into_id) {
  const std::string_view from = KeyOf(from_id, key_);
  const std::string_view into = KeyOf(into_id, into_key_);
  Table<SeriesTally>::Slot from_slot;
  Table<SeriesTally>::Slot into_slot;
  if (Status s = tallies_.Load(from, from_slot); !s.ok()) return s;
  if (Status s = tallies_.Load(into, into_slot); !s.ok()) return s;
  if (!from_slot.present()) return {};
  const SeriesTally source = from_slot.Get();
  SeriesTally tally = into_slot.GetOr({});
  tally.sums.Add(source.sums);
  if (source.compacted != 0) {
    tally.compacted = 1;
    Status s = VisitBlocks(from, [&](bool label, size_t first, std::span<const uint64_t> counts) {
      return AddBlock(into, label, first, counts);
    });
    if (!s.ok()) return s;
  }
  // Not of copied_: what appends may compact, and so read.
  Status s = VisitSteps(from, source, [&](bool label, std::span<const uint16_t> read) {
    merged_.assign(read.begin(), read.end());
    return AppendSteps(into, label, merged_, tally);
  });
  if (!s.ok()) return s;
  tallies_.Put(into_slot, tally);
  return {};
}

Status Tallies::AddSums(const TallyId& id, Sums& sums) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok() || !slot.present()) return s;
  sums.Add(slot.Get().sums);
  return {};
}

Status Tallies::Apply(Histogram::Change change, const TallyId& id, Histogram& histogram) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok() || !slot.present()) return s;
  const SeriesTally tally = slot.Get();
  if (tally.compacted != 0) {
    Status s = VisitBlocks(key, [&](bool label, size_t first, std::span<const uint64_t> counts) -> Status {
      histogram.Apply(change, label, first, counts);
      return {};
    });
    if (!s.ok()) return s;
  }
  return VisitSteps(key, tally, [&](bool label, std::span<const uint16_t> steps) -> Status {
    histogram.Apply(change, label, steps);
    return {};
  });
}

Status Tallies::EraseLog(std::string_view key, const SeriesTally& tally) {
  for (const bool label : {false, true}) {
    const uint32_t chunks = (tally.logged[label ? 1 : 0] + kChunk - 1) / kChunk;
    for (uint32_t number = 0; number < chunks; ++number) {
      RawTable::Slot slot;
      if (Status s = steps_->Load(RowKey(key, kLog, label, number), slot); !s.ok()) return s;
      steps_->Erase(slot);
    }
  }
  return {};
}

Status Tallies::Erase(const TallyId& id) {
  const std::string_view key = KeyOf(id, key_);
  Table<SeriesTally>::Slot slot;
  if (Status s = tallies_.Load(key, slot); !s.ok() || !slot.present()) return s;
  const SeriesTally tally = slot.Get();
  tallies_.Erase(slot);
  if (tally.compacted != 0) {
    for (const bool label : {false, true}) {
      for (uint32_t number = 0; number < Histogram::kSteps / kBlock; ++number) {
        RawTable::Slot block;
        if (Status s = steps_->Load(RowKey(key, kHistogram, label, number), block); !s.ok()) return s;
        if (block.present()) steps_->Erase(block);
      }
    }
  }
  return EraseLog(key, tally);
}

}  // namespace freshet
