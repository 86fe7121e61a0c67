#include "operators/windows/tiles.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "engine/base/bytes.h"

namespace freshet {
namespace {

std::string TableName(std::string_view what, uint8_t tier) {
  return tier == 0 ? std::string(what) : std::string(what) + "_" + std::to_string(tier + 1);
}

}  // namespace

std::vector<TableSpec> Tiles::Tables(uint8_t tier, uint32_t layout, const TileLayout& tiles,
                                     std::span<const Duration> windows) {
  const auto middles =
      std::count_if(windows.begin(), windows.end(), [&](Duration window) { return tiles.HasMiddle(window); });
  const uint32_t scratch = static_cast<uint32_t>(middles) * tiles.rows_offset;
  return {{TableName("heads", tier), layout, false, sizeof(Head), scratch},
          {TableName("tiles", tier), layout, true, 0},
          {TableName("chunks", tier), layout, false, 0}};
}

Tiles::Tiles(const TileLayout& layout, std::span<const Duration> windows, uint8_t tier,
             OperatorContext& context)
    : layout_(layout),
      tier_(tier),
      heads_(context.keyed_state(TableName("heads", tier))),
      tiles_(context.keyed_state(TableName("tiles", tier))),
      chunks_(context.keyed_state(TableName("chunks", tier))),
      timers_(context.timers()),
      passing_(layout.rows_offset, '\0') {
  uint32_t at = 0;
  for (const Duration window : windows) {
    middle_of_.push_back(layout.HasMiddle(window) ? at : kNowhere);
    if (layout.HasMiddle(window)) at += layout.rows_offset;
  }
}

Tiles::Head Tiles::HeadAt(const char* data) {
  Head head;
  std::memcpy(&head, data, sizeof(Head));
  return head;
}

Tiles::Middle Tiles::MiddleAt(const char* bytes) {
  Middle middle;
  std::memcpy(&middle, bytes, sizeof(Middle));
  return middle;
}

void Tiles::WriteHead(KeyedTable::Slot& slot, const Head& head) {
  std::memcpy(heads_.Edit(slot, sizeof(Head)), &head, sizeof(Head));
}

TileHeader Tiles::HeaderAt(const char* data) const {
  TileHeader header;
  std::memcpy(&header, data, sizeof(TileHeader));
  return header;
}

PackedRows Tiles::OpenRows(const char* data, const TileHeader& header) const {
  return {data + layout_.rows_offset, header.open, layout_.row_width};
}

void Tiles::AppendTileKey(std::string_view key, int64_t tile, std::string& out) const {
  out.append(key);
  AppendOrdered(layout_.StartOf(tile), out);
}

Status Tiles::SetTimer(const ShardKey& key, int64_t tile) {
  timer_key_.assign(1, static_cast<char>(tier_));
  timer_key_.append(key.bytes);
  return timers_.Set(layout_.LeavingOf(tile), {key.shard, timer_key_});
}

Status Tiles::CancelTimer(const ShardKey& key, int64_t tile) {
  timer_key_.assign(1, static_cast<char>(tier_));
  timer_key_.append(key.bytes);
  return timers_.Cancel(layout_.LeavingOf(tile), {key.shard, timer_key_});
}

Status Tiles::Begin(const ShardKeys& keys) {
  keys_ = &keys;
  head_slots_.resize(keys.size());
  rows_.assign(keys.size(), Row{});
  places_.clear();
  missing_.clear();
  tile_keys_.Clear();
  if (keys.size() == 0) return {};
  const Status status = heads_.Load(keys, head_slots_);
  known_.Begin(heads_.era() + tiles_.era());
  return status;
}

// What is put into places_ next will be found by Load.
void Tiles::Miss(size_t row, const void* head, int64_t tile) {
  missing_.push_back({static_cast<uint32_t>(places_.size()), head});
  const ShardKey key = (*keys_)[row];
  AppendTileKey(key.bytes, tile, tile_keys_.buffer());
  tile_keys_.EndKey(key.shard);
}

inline void Tiles::Want(size_t row, const void* head, int64_t tile) {
  const KeyedTable::Slot slot = known_.Find(head, tile);
  if (slot.identity() == nullptr) Miss(row, head, tile);
  places_.push_back({slot, tile});
}

uint64_t Tiles::Among(int64_t first, int64_t last, const Head& head) {
  if (first > last) return 0;
  return head.present & (~uint64_t{0} >> (63 - (head.newest - first))) &
         (~uint64_t{0} << (head.newest - last));
}

uint64_t Tiles::Bits(int64_t first, int64_t last, int64_t told, const Head& head) {
  return Among(std::max({first, told, head.oldest}), std::min(last, head.newest), head);
}

// All tiles that the window crosses, or those that its middle does not stand for.
uint64_t Tiles::WantedBits(const Reach& reach, int64_t told, const Head& head, const char* scratch) const {
  const int64_t first = layout_.TileOf(reach.after + 1);
  const int64_t last = layout_.TileOf(reach.until);
  if (middle_of_[reach.window] != kNowhere) {
    const Middle middle = MiddleAt(scratch + middle_of_[reach.window]);
    const int64_t whole = layout_.TileOf(reach.after) + 1;
    if (middle.first == whole && middle.end <= last)
      return Bits(first, whole - 1, told, head) | Bits(middle.end, last, told, head);
  }
  return Bits(first, last, told, head);
}

void Tiles::Read(size_t row, std::span<const Reach> reaches) {
  Row& r = rows_[row];
  r.reads_begin = r.reads_end = static_cast<uint32_t>(places_.size());
  const KeyedTable::Slot& slot = head_slots_[row];
  if (!slot.present() || reaches.empty()) return;
  const void* identity = slot.identity();
  const Head head = HeadAt(slot.data());
  const int64_t told = head.newest - 63;
  const Reach& longest = reaches.back();
  const int64_t last = layout_.TileOf(longest.until);
  for (int64_t tile = std::max(layout_.TileOf(longest.after + 1), head.oldest); tile <= last && tile < told;
       ++tile) {
    Want(row, identity, tile);
  }
  uint64_t left = 0;
  for (const Reach& reach : reaches)
    left |= WantedBits(reach, told, head, slot.scratch());
  while (left != 0) {
    const int back = 63 - std::countl_zero(left);
    Want(row, identity, head.newest - back);
    left ^= uint64_t{1} << back;
  }
  r.reads_end = static_cast<uint32_t>(places_.size());
}

Status Tiles::Add(size_t row, Time time, Time watermark) {
  const int64_t tile = layout_.TileOf(time);
  if (layout_.ExpiryOf(tile) <= watermark) return {};
  KeyedTable::Slot& slot = head_slots_[row];
  const ShardKey key = (*keys_)[row];
  rows_[row].insert = static_cast<uint32_t>(places_.size());
  Want(row, slot.identity(), tile);
  if (!slot.present()) {
    WriteHead(slot, {tile, tile, 1});
    return SetTimer(key, tile);
  }
  const Head before = HeadAt(slot.data());
  Head head = before;
  if (tile > head.newest) {
    const int64_t step = tile - head.newest;
    head.present = (step < 64 ? head.present << step : 0) | 1;
    head.newest = tile;
  } else {
    const int64_t back = head.newest - tile;
    if (back < 64) head.present |= uint64_t{1} << back;
    head.oldest = std::min(head.oldest, tile);
  }
  if (std::memcmp(&before, &head, sizeof(Head)) != 0) WriteHead(slot, head);
  if (head.oldest == before.oldest || layout_.LeavingOf(head.oldest) == layout_.LeavingOf(before.oldest))
    return {};
  if (Status s = CancelTimer(key, before.oldest); !s.ok()) return s;
  return SetTimer(key, tile);
}

Status Tiles::Load() {
  if (missing_.empty()) return {};
  loaded_.resize(missing_.size());
  if (Status s = tiles_.Load(tile_keys_, loaded_); !s.ok()) return s;
  for (size_t i = 0; i < missing_.size(); ++i) {
    Place& place = places_[missing_[i].place];
    place.slot = loaded_[i];
    if (loaded_[i].present()) known_.Add(missing_[i].head, place.tile, loaded_[i]);
  }
  return {};
}

Status Tiles::LoadChunks(const ShardKey& key, int64_t tile, uint32_t begin, uint32_t end) {
  chunk_keys_.Clear();
  for (uint32_t chunk = begin; chunk < end; ++chunk) {
    AppendTileKey(key.bytes, tile, chunk_keys_.buffer());
    AppendOrdered(int64_t{chunk}, chunk_keys_.buffer());
    chunk_keys_.EndKey(key.shard);
  }
  chunk_slots_.resize(chunk_keys_.size());
  return chunk_slots_.empty() ? Status() : chunks_.Load(chunk_keys_, chunk_slots_);
}

Status Tiles::Cross(const ShardKey& key, const char* tile, Time after, Time until, TileParts& parts) {
  const TileHeader header = HeaderAt(tile);
  if (header.sealed > 0) {
    if (Status s = LoadChunks(key, layout_.TileOf(header.oldest), 0, header.sealed); !s.ok()) return s;
    for (const KeyedTable::Slot& slot : chunk_slots_) {
      if (!slot.present()) return {Code::kCorrupt, "a tile in the state lacks one of its chunks"};
      const TileHeader chunk = HeaderAt(slot.data());
      if (chunk.IsApart(after, until)) continue;
      if (chunk.IsWithin(after, until)) {
        parts.whole.push_back(slot.data());
      } else {
        parts.EndPart(OpenRows(slot.data(), chunk));
      }
    }
  }
  parts.EndPart(OpenRows(tile, header));
  return {};
}

Status Tiles::AddTile(const ShardKey& key, const char* tile, Time after, Time until, TileParts& parts) {
  const TileHeader header = HeaderAt(tile);
  if (header.IsApart(after, until)) return {};
  if (!header.IsWithin(after, until)) return Cross(key, tile, after, until, parts);
  parts.whole.push_back(tile);
  return {};
}

Status Tiles::MergeTile(size_t row, uint32_t& at, int64_t tile, char* bytes, Middle& middle) {
  KeyedTable::Slot slot;
  const uint32_t end = rows_[row].reads_end;
  while (at < end && places_[at].tile < tile)
    ++at;
  if (at < end && places_[at].tile == tile) {
    slot = places_[at].slot;
  } else {  // a row before this one, of the same batch, has changed the middle
    const ShardKey key = (*keys_)[row];
    tile_keys_.Clear();
    AppendTileKey(key.bytes, tile, tile_keys_.buffer());
    if (Status s = tiles_.Load({key.shard, tile_keys_.buffer()}, slot); !s.ok()) return s;
  }
  if (!slot.present()) return {};
  const char* data = slot.data();
  for (const TileState& state : layout_.states)
    state.fold.merge(bytes + state.offset, {&data, 1}, state.offset);
  ++middle.merged;
  return {};
}

Status Tiles::Extend(size_t row, uint32_t at, int64_t end, char* bytes) {
  Middle middle = MiddleAt(bytes);
  const Head head = HeadAt(head_slots_[row].data());
  const int64_t told = head.newest - 63;
  for (int64_t tile = std::max(middle.end, head.oldest); tile < std::min(end, told); ++tile) {
    if (Status s = MergeTile(row, at, tile, bytes, middle); !s.ok()) return s;
  }
  for (uint64_t left = Bits(middle.end, end - 1, told, head); left != 0;) {
    const int back = 63 - std::countl_zero(left);
    if (Status s = MergeTile(row, at, head.newest - back, bytes, middle); !s.ok()) return s;
    left ^= uint64_t{1} << back;
  }
  middle.end = end;
  std::memcpy(bytes, &middle, sizeof(middle));
  return {};
}

// What is kept goes forward in time; a row from further back has one of its own.
Status Tiles::AddMiddle(size_t row, size_t window, int64_t first, int64_t end, uint32_t at,
                        TileParts& parts) {
  char* bytes = head_slots_[row].scratch() + middle_of_[window];
  const Middle known = MiddleAt(bytes);
  if (known.first != first || known.end > end) {
    const bool is_back = known.end > known.first && (first < known.first || first == known.first);
    if (is_back) bytes = passing_.data();
    std::memset(bytes, 0, layout_.rows_offset);
    const Middle none{first, first, 0};
    std::memcpy(bytes, &none, sizeof(none));
  }
  if (MiddleAt(bytes).end < end) {
    if (Status s = Extend(row, at, end, bytes); !s.ok()) return s;
  }
  if (MiddleAt(bytes).merged > 0) parts.whole.push_back(bytes);
  return {};
}

Status Tiles::Parts(size_t row, const Reach& reach, TileParts& parts) {
  parts.Clear();
  const ShardKey key = (*keys_)[row];
  const Row& r = rows_[row];
  uint32_t at = r.reads_begin;
  const auto add_until = [&](int64_t end) {
    for (; at < r.reads_end && places_[at].tile < end; ++at) {
      if (!places_[at].slot.present()) continue;
      if (Status s = AddTile(key, places_[at].slot.data(), reach.after, reach.until, parts); !s.ok())
        return s;
    }
    return Status();
  };
  if (middle_of_[reach.window] != kNowhere && head_slots_[row].present()) {
    const int64_t first = layout_.TileOf(reach.after) + 1;
    const int64_t end = layout_.TileOf(reach.until);
    if (Status s = add_until(first); !s.ok()) return s;
    if (first < end) {
      if (Status s = AddMiddle(row, reach.window, first, end, at, parts); !s.ok()) return s;
    }
    while (at < r.reads_end && places_[at].tile < end)
      ++at;
  }
  if (Status s = add_until(INT64_MAX); !s.ok()) return s;
  if (parts.in_parts() < parts.whole.size()) parts.EndPart({});
  return {};
}

// Moves the open chunk of a tile to a row of its own.
Status Tiles::Seal(const ShardKey& key, int64_t tile, const char* tile_data, TileHeader& header) {
  if (Status s = LoadChunks(key, tile, header.sealed, header.sealed + 1); !s.ok()) return s;
  const PackedRows rows = OpenRows(tile_data, header);
  const size_t bytes = rows.count * rows.width;
  char* data = chunks_.Edit(chunk_slots_[0], static_cast<uint32_t>(layout_.rows_offset + bytes));
  std::memset(data, 0, layout_.rows_offset);
  std::memcpy(data + layout_.rows_offset, rows.first, bytes);
  TileHeader sealed{kMaxTime, kMinTime, header.open, 0};
  for (size_t i = 0; i < rows.count; ++i) {
    Time time = 0;
    std::memcpy(&time, rows.first + i * rows.width, sizeof(Time));
    sealed.oldest = std::min(sealed.oldest, time);
    sealed.newest = std::max(sealed.newest, time);
  }
  for (const TileState& state : layout_.states) {
    state.fold.add(data + state.offset, rows, state.operand, kMinTime, kMaxTime);
  }
  std::memcpy(data, &sealed, sizeof(sealed));
  ++header.sealed;
  header.open = 0;
  return {};
}

void Tiles::ForgetMiddles(const KeyedTable::Slot& head, int64_t tile) {
  for (const uint32_t at : middle_of_) {
    if (at == kNowhere) continue;
    char* bytes = head.scratch() + at;
    const Middle middle = MiddleAt(bytes);
    if (tile >= middle.first && tile < middle.end) std::memset(bytes, 0, layout_.rows_offset);
  }
}

Status Tiles::Insert(size_t row, Time time, const char* packed) {
  if (rows_[row].insert == kNowhere) return {};
  Place& place = places_[rows_[row].insert];
  KeyedTable::Slot& slot = place.slot;
  TileHeader header{time, time, 0, 0};
  const bool is_new = !slot.present();
  if (!is_new) {
    header = HeaderAt(slot.data());
    header.oldest = std::min(header.oldest, time);
    header.newest = std::max(header.newest, time);
    if (header.open == layout_.chunk_rows) {
      if (Status s = Seal((*keys_)[row], place.tile, slot.data(), header); !s.ok()) return s;
    }
  }
  const uint32_t end = layout_.rows_offset + header.open * layout_.row_width;
  char* data = tiles_.Edit(slot, end + layout_.row_width);
  std::memcpy(data + end, packed, layout_.row_width);
  ++header.open;
  std::memcpy(data, &header, sizeof(header));
  if (is_new) known_.Add(head_slots_[row].identity(), place.tile, slot);
  ForgetMiddles(head_slots_[row], place.tile);
  const PackedRows one{packed, 1, layout_.row_width};
  for (const TileState& state : layout_.states) {
    state.fold.add(data + state.offset, one, state.operand, kMinTime, kMaxTime);
  }
  return {};
}

Status Tiles::EraseTile(const ShardKey& key, KeyedTable::Slot head, int64_t tile) {
  KeyedTable::Slot slot = known_.Find(head.identity(), tile);
  if (slot.identity() == nullptr) {
    tile_keys_.Clear();
    AppendTileKey(key.bytes, tile, tile_keys_.buffer());
    if (Status s = tiles_.Load({key.shard, tile_keys_.buffer()}, slot); !s.ok()) return s;
  }
  if (!slot.present()) return {};
  const TileHeader header = HeaderAt(slot.data());
  if (header.sealed > 0) {
    if (Status s = LoadChunks(key, tile, 0, header.sealed); !s.ok()) return s;
    for (KeyedTable::Slot& chunk : chunk_slots_) {
      if (chunk.present()) chunks_.Erase(chunk);
    }
  }
  tiles_.Erase(slot);
  known_.TileErased(head.identity(), tile);
  return {};
}

Status Tiles::NextTile(const ShardKey& key, int64_t tile, const Head& head, int64_t& next) {
  if (head.newest - tile > 64) {  // some lie beyond the bits
    std::string begin, end;
    AppendTileKey(key.bytes, tile + 1, begin);
    AppendTileKey(key.bytes, head.newest - 63, end);
    bool found = false;
    const auto visit = [&](std::string_view tile_key, std::string_view) {
      int64_t start = 0;
      tile_key.remove_prefix(key.bytes.size());
      found = TakeOrdered(tile_key, start);
      next = layout_.TileOf(start);
      return false;
    };
    if (Status s = tiles_.Scan(key.shard, begin, end, visit); !s.ok() || found) return s;
  }
  for (next = std::max(tile + 1, head.newest - 63); next < head.newest; ++next) {
    if (((head.present >> (head.newest - next)) & 1) != 0) break;
  }
  return {};
}

Status Tiles::Expire(const ShardKey& key, Time due) {
  KeyedTable::Slot slot;
  if (Status s = heads_.Load(key, slot); !s.ok()) return s;
  if (!slot.present()) return {};
  known_.Begin(heads_.era() + tiles_.era());
  Head head = HeadAt(slot.data());
  while (layout_.ExpiryOf(head.oldest) <= due) {
    if (Status s = EraseTile(key, slot, head.oldest); !s.ok()) return s;
    if (head.oldest == head.newest) {
      heads_.Erase(slot);
      return {};
    }
    if (Status s = NextTile(key, head.oldest, head, head.oldest); !s.ok()) return s;
  }
  // Bits of tiles that left would be the only trace of when their timer was called.
  const int64_t span = head.newest - head.oldest + 1;
  if (span < 64) head.present &= (uint64_t{1} << span) - 1;
  WriteHead(slot, head);
  return SetTimer(key, head.oldest);
}

}  // namespace freshet
