#pragma once
// How the rows behind trailing windows are cut into tiles: which windows share tiles, how wide these are, and
// which bytes a tile holds. Pure; a function of the windows and aggregates alone, never of data.
//
// A tile holds the rows of one key whose event time lies in [start, start + width), start a multiple of
// width:
//
//   header   oldest and newest time of its rows, rows in the open chunk, sealed chunks
//   states   one for each distinct (aggregate, operand), over all rows of the tile
//   rows     the open chunk: packed rows in the order they came
//
// An open chunk that is full is sealed: it moves to a row of its own, with a header and states of its own,
// and never changes again. So a hot key rewrites at most a chunk a row, and an edge of a window reads single
// rows only of chunks that it crosses.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "operators/aggregates/aggregate.h"

namespace freshet {

struct TileState {
  Fold fold;
  Operand operand;
  uint32_t offset = 0;  // in a tile, from its first byte
};

struct TileHeader {
  Time oldest = 0;
  Time newest = 0;
  uint32_t open = 0;    // rows in the open chunk
  uint32_t sealed = 0;  // chunks

  // Whether all rows lie in (after, until], or none does.
  bool IsWithin(Time after, Time until) const { return oldest > after && newest <= until; }
  bool IsApart(Time after, Time until) const { return newest <= after || oldest > until; }
};

struct TileLayout {
  static constexpr Duration kMostPerTier = 24;  // a tier's largest window over its smallest
  static constexpr size_t kChunkBytes = 4096;   // of packed rows, about
  static constexpr int kTilesAtOnce = 8;        // so many widths pass between visits that let tiles leave
  static constexpr int64_t kFewTiles = 4;       // a window over more has a middle

  Duration width = 0;
  Duration largest = 0;  // window
  Duration allowed_lateness = 0;
  std::vector<TileState> states;
  uint32_t rows_offset = 0;  // in a tile: header and states come before
  uint32_t row_width = 0;
  uint32_t chunk_rows = 0;  // of a full chunk

  // Adds a state, or finds the equal one.
  uint32_t AddState(const Fold& fold, Operand operand);
  // Sets the offsets; call once all states are there.
  void Close(uint32_t width_of_row);

  // How long after its event time a row is kept, at most, where rows come so far `ahead` of the watermark:
  // the first row of a tile leaves with the last, and both wait for the visit that lets tiles leave.
  Duration Kept(Duration ahead) const {
    return largest + allowed_lateness + ahead + (kTilesAtOnce + 1) * width;
  }
  // The tiles of a key that hold rows kept so long.
  int64_t MostTiles(Duration ahead) const { return Kept(ahead) / width + 1; }
  // The tiles that lie wholly in a window are merged once, for as long as they stay the same.
  bool HasMiddle(Duration window) const { return window / width > kFewTiles; }
  // Of a row, and its share of what a sealed chunk has besides.
  int64_t RowBytes() const { return row_width + (rows_offset + chunk_rows - 1) / chunk_rows; }
  int64_t TileOf(Time time) const {
    const int64_t tile = time / width;
    return tile * width > time ? tile - 1 : tile;
  }
  Time StartOf(int64_t tile) const { return tile * width; }
  // The watermark at which no window of a row that is not late can reach the tile any more.
  Time ExpiryOf(int64_t tile) const { return StartOf(tile) + width + largest + allowed_lateness; }
  // The watermark at which the tile does leave: those of some time together, as each visit costs a timer and
  // a look at the key's rows.
  Time LeavingOf(int64_t tile) const {
    const Duration grain = kTilesAtOnce * width;
    return FloorTo(ExpiryOf(tile) - 1, grain) + grain;
  }
  // Rows before this time may be gone when the watermark stands there.
  Time Horizon(Time watermark) const {
    return watermark < kMinTime + largest + allowed_lateness ? kMinTime
                                                             : watermark - largest - allowed_lateness;
  }
};

// The windows, ascending and each once, in groups that share tiles: each group's largest is at most
// kMostPerTier times its smallest.
std::vector<std::vector<Duration>> Tiers(std::vector<Duration> windows);
// The widest round duration that fits the largest window 12 times and is no longer than the smallest.
Duration TileWidth(Duration smallest, Duration largest);

}  // namespace freshet
