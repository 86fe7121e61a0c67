#include "state/table_cache.h"

namespace freshet {

void CacheBudget::Forget() {
  for (TableCache* cache : forgetful)
    cache->Forget();
  forgetful.clear();
}

void CacheBudget::Evict() {
  const int64_t target = limit - limit / 16;  // so that it is not called again for the next row
  // Twice round: the first passing may only take marks away.
  for (size_t tables = 0; tables <= 2 * caches.size(); ++tables) {
    if (hand >= caches.size()) hand = 0;
    if (hand < caches.size() && !caches[hand]->Sweep(target)) return;
    ++hand;
  }
}

}  // namespace freshet
