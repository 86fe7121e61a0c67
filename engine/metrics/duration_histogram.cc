#include "engine/metrics/duration_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace freshet {

namespace {

// Of a value below 2^split its own; else by its leading bit and the `split` bits after it.
size_t BucketOf(uint64_t value, int split) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - 1 - split);
  return (static_cast<size_t>(shift) << split) + (value >> shift);
}

// The highest value there.
uint64_t EndOf(size_t bucket, int split) {
  const size_t half = size_t{1} << split;
  if (bucket < 2 * half) return bucket;
  const size_t shift = bucket / half - 1;
  return ((bucket - shift * half + 1) << shift) - 1;
}

}  // namespace

void DurationHistogram::Add(Duration taken) {
  ++buckets_[BucketOf(static_cast<uint64_t>(std::max<Duration>(taken, 0)), kSplit)];
  ++count_;
}

Duration DurationHistogram::Quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen > 0 && seen >= wanted) return static_cast<Duration>(EndOf(bucket, kSplit));
  }
  return 0;
}

}  // namespace freshet
