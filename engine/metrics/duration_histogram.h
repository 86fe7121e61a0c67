#pragma once
// How long something took, each time, in little memory: quantiles are right to a sixteenth. One thread.
#include <array>
#include <cstdint>

#include "engine/base/time.h"

namespace freshet {

class DurationHistogram {
 public:
  // Below 0 counts as 0.
  void Add(Duration taken);
  uint64_t count() const { return count_; }
  // No more than this was taken by that share of all, in (0, 1]; 0 where there are none.
  Duration Quantile(double share) const;

 private:
  // Sixteen buckets of equal width between two powers of two.
  static constexpr int kSplit = 4;  // bits
  std::array<uint64_t, static_cast<size_t>(64) << kSplit> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace freshet
