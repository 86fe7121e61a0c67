#pragma once
// The tiles of one tier in an operator's state: adds rows to them, finds those that a window crosses, and
// lets them leave once no window reaches them. One thread, one batch at a time:
//
//   Begin(keys) → for each row in order: Read, Add → Load → for each row in order: Parts, Insert
//
// Always: rows are seen in the order they were inserted, rows of the same batch too; what Parts yields is a
// function of the rows inserted before and their times, never of how they were cut into batches, nor of what
// is in memory. A head a key says which tiles there are, so that absent ones are not looked for. All heads of
// a batch are loaded at once, then all its tiles but those whose slots are known from batches before.
//
// Of a long window all but the tiles at its ends lie in it wholly. These are its middle: merged from the
// oldest on, and kept beside the head for as long as it is in memory and they stay the same. So a row of a
// busy key reads two tiles a window, however many it spans.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/operator/operator.h"
#include "operators/windows/known_tiles.h"
#include "operators/windows/tile_layout.h"
#include "state/keyed_table.h"
#include "state/timers.h"

namespace freshet {

// What a window holds, in time order: tiles, middles and chunks that lie in it with all their rows, and
// between them rows of those that it crosses.
struct TileParts {
  struct Part {
    size_t begin = 0, end = 0;  // of `whole`
    PackedRows rows;            // behind these; not all of them need lie in the window
  };
  std::vector<const char*> whole;  // their states are at their offsets
  std::vector<Part> parts;

  void Clear() {
    whole.clear();
    parts.clear();
  }
  size_t in_parts() const { return parts.empty() ? 0 : parts.back().end; }  // of `whole`
  void EndPart(PackedRows rows) { parts.push_back({in_parts(), whole.size(), rows}); }
};

class Tiles {
 public:
  // A window of a row holds the times in (after, until].
  struct Reach {
    size_t window = 0;
    Time after = 0;
    Time until = 0;
  };

  // The tables of the tier numbered `tier`, with so many middles a key, and the layout number they are to
  // have.
  static std::vector<TableSpec> Tables(uint8_t tier, uint32_t layout, const TileLayout& tiles,
                                       std::span<const Duration> windows);
  static constexpr int64_t kHeadBytes = 24;  // of a key, beside its tiles

  // `layout` outlives this. `windows`: ascending.
  Tiles(const TileLayout& layout, std::span<const Duration> windows, uint8_t tier, OperatorContext& context);

  // A batch of `keys.size()` rows; `keys` stays as it is until the next.
  Status Begin(const ShardKeys& keys);
  // Row `row` will read these, by window.
  void Read(size_t row, std::span<const Reach> reaches);
  // Row `row` will be inserted at `time`, unless its tile has left at `watermark`: nothing could see it.
  Status Add(size_t row, Time time, Time watermark);
  Status Load();
  // What it holds; one of those that Read announced. Valid until the next call of any function.
  Status Parts(size_t row, const Reach& reach, TileParts& parts);
  // Of rows that Add was not told of, or whose tile has left, nothing is inserted. `packed`: row_width bytes.
  Status Insert(size_t row, Time time, const char* packed);

  // A timer set here fell due; its key without the leading byte, which is the tier.
  Status Expire(const ShardKey& key, Time due);

 private:
  // Which tiles a key has. Bit i of `present`: tile newest - i exists. Those between `oldest` and newest - 63
  // may.
  struct Head {
    int64_t newest = 0;
    int64_t oldest = 0;
    uint64_t present = 0;  // 0: no tile at all
  };
  static_assert(sizeof(Head) == kHeadBytes);
  // The bits of `present` that stand for tiles first..last. REQUIRES: newest - 63 <= first, last <= newest.
  static uint64_t Among(int64_t first, int64_t last, const Head& head);
  // Tiles [first, end), merged. It stands where a tile has its header, before the same states.
  struct Middle {
    int64_t first = 0;
    int64_t end = 0;
    int64_t merged = 0;  // tiles that there are
  };
  static_assert(sizeof(Middle) == sizeof(TileHeader));
  static constexpr uint32_t kNowhere = UINT32_MAX;
  struct Place {
    KeyedTable::Slot slot;
    int64_t tile = 0;
  };
  struct Row {
    uint32_t reads_begin = 0, reads_end = 0;  // in places_, by tile
    uint32_t insert = kNowhere;               // in places_
  };
  struct Missing {
    uint32_t place = 0;  // in places_
    const void* head = nullptr;
  };
  static Head HeadAt(const char* data);
  void WriteHead(KeyedTable::Slot& slot, const Head& head);
  TileHeader HeaderAt(const char* data) const;
  // Adds that tile of the row's key, whose head has that identity, to places_.
  void Want(size_t row, const void* head, int64_t tile);
  // Tiles first..last of the head that there are, as bits like `present`; `told`: the oldest that has one.
  static uint64_t Bits(int64_t first, int64_t last, int64_t told, const Head& head);
  uint64_t WantedBits(const Reach& reach, int64_t told, const Head& head, const char* scratch) const;
  void Miss(size_t row, const void* head, int64_t tile);
  void AppendTileKey(std::string_view key, int64_t tile, std::string& out) const;
  Status SetTimer(const ShardKey& key, int64_t tile);
  Status CancelTimer(const ShardKey& key, int64_t tile);
  Status Seal(const ShardKey& key, int64_t tile, const char* data, TileHeader& header);
  // Sets chunk_slots_ to chunks [begin, end) of a tile.
  Status LoadChunks(const ShardKey& key, int64_t tile, uint32_t begin, uint32_t end);
  // Adds what (after, until] holds of a tile.
  Status AddTile(const ShardKey& key, const char* tile, Time after, Time until, TileParts& parts);
  // Adds the middle of a window, tiles [first, end), if there are any. Those at hand are in places_ from
  // `at`.
  Status AddMiddle(size_t row, size_t window, int64_t first, int64_t end, uint32_t at, TileParts& parts);
  // Merges the tiles from its end to before `end` into a middle.
  Status Extend(size_t row, uint32_t at, int64_t end, char* bytes);
  Status MergeTile(size_t row, uint32_t& at, int64_t tile, char* bytes, Middle& middle);
  // Middles that hold the tile are worth nothing any more.
  void ForgetMiddles(const KeyedTable::Slot& head, int64_t tile);
  static Middle MiddleAt(const char* bytes);
  // Adds what (after, until] holds of a tile that lies in it with some of its rows.
  Status Cross(const ShardKey& key, const char* tile, Time after, Time until, TileParts& parts);
  Status EraseTile(const ShardKey& key, KeyedTable::Slot head, int64_t tile);
  // The oldest tile after `tile`, which is gone.
  Status NextTile(const ShardKey& key, int64_t tile, const Head& head, int64_t& next);
  PackedRows OpenRows(const char* data, const TileHeader& header) const;

  const TileLayout& layout_;
  uint8_t tier_;
  KeyedTable& heads_;
  KeyedTable& tiles_;
  KeyedTable& chunks_;
  Timers timers_;

  const ShardKeys* keys_ = nullptr;
  std::vector<KeyedTable::Slot> head_slots_;  // one a row
  std::vector<Row> rows_;
  std::vector<Place> places_;  // the tiles that rows_ need; several may be of one tile
  KnownTiles known_;
  std::vector<Missing> missing_;  // of places_, to be loaded
  ShardKeys tile_keys_;           // of missing_; scratch after Load
  std::vector<KeyedTable::Slot> loaded_;
  ShardKeys chunk_keys_;
  std::vector<KeyedTable::Slot> chunk_slots_;
  std::string timer_key_;
  std::vector<uint32_t> middle_of_;  // window → its middle's place beside a head, in bytes, or kNowhere
  std::string passing_;              // a middle that is not kept
};

}  // namespace freshet
