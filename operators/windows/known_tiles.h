#pragma once
// Slots of tiles that were found before, so that rows which read the same tiles again need neither their keys
// nor the table's index. It forgets: a place is taken by the last that came to it. One thread.
//
// Always: what it knows was present when it was added, since the eras of the tables began that Begin was told
// of last. Who erases a tile says so, as the eras do not; heads that are erased have no tiles any more.
#include <cstdint>
#include <vector>

#include "state/keyed_table.h"

namespace freshet {

class KnownTiles {
 public:
  // `era`: another one whenever a slot, of heads or tiles, may have become void.
  void Begin(uint64_t era) {
    if (era_ == era) return;
    era_ = era;
    ++round_;
    displaced_ = 0;
  }
  void TileErased(const void* head, int64_t tile) {
    Place& place = places_[PlaceOf(head, tile)];
    if (Knows(place, head, tile)) place = {};
  }

  // The slot of that tile of the key with that head (KeyedTable::Slot::identity), or one without identity.
  KeyedTable::Slot Find(const void* head, int64_t tile) const {
    const Place& place = places_[PlaceOf(head, tile)];
    return Knows(place, head, tile) ? place.slot : KeyedTable::Slot();
  }
  void Add(const void* head, int64_t tile, KeyedTable::Slot slot) {
    if (2 * displaced_ >= places_.size() && places_.size() < kMostPlaces) Grow();
    Place& place = places_[PlaceOf(head, tile)];
    if (place.round == round_ && !Knows(place, head, tile)) ++displaced_;
    place = {head, tile, round_, slot};
  }

 private:
  static constexpr size_t kFewestPlaces = 64;
  static constexpr size_t kMostPlaces = 4096;  // 128 KiB
  struct Place {
    const void* head = nullptr;
    int64_t tile = 0;
    uint64_t round = 0;  // none
    KeyedTable::Slot slot;
  };
  bool Knows(const Place& place, const void* head, int64_t tile) const {
    return place.head == head && place.tile == tile && place.round == round_;
  }
  // Tiles of one key lie beside each other, those of different keys anywhere.
  size_t PlaceOf(const void* head, int64_t tile) const {
    const uint64_t spread = reinterpret_cast<uintptr_t>(head) * uint64_t{0x9e3779b97f4a7c15};
    return (static_cast<size_t>(spread >> 32) + static_cast<size_t>(tile)) & (places_.size() - 1);
  }
  void Grow();

  std::vector<Place> places_ = std::vector<Place>(kFewestPlaces);  // a power of two
  size_t displaced_ = 0;                                           // tiles of this round
  uint64_t era_ = 0;
  uint64_t round_ = 1;  // of what is known; another one when all is forgotten
};

}  // namespace freshet
