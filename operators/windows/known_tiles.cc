#include "operators/windows/known_tiles.h"

#include <utility>

namespace freshet {

void KnownTiles::Grow() {
  const std::vector<Place> old = std::exchange(places_, std::vector<Place>(2 * places_.size()));
  for (const Place& place : old) {
    if (place.head != nullptr) places_[PlaceOf(place.head, place.tile)] = place;
  }
  displaced_ = 0;
}

}  // namespace freshet
