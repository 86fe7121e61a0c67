#pragma once
// What sums and means keep of the values there were. Bytes of state: the members, in order. One thread.
#include <cstdint>

#include "operators/aggregates/fold.h"

namespace freshet {

struct FloatTotal {
  using Value = double;
  double sum = 0;
  int64_t count = 0;
  void Add(double value) {
    sum += value;
    ++count;
  }
  void Merge(const FloatTotal& later) {
    sum += later.sum;
    count += later.count;
  }
};

struct IntTotal {
  using Value = int64_t;
  WideSum sum;
  int64_t count = 0;
  void Add(int64_t value) {
    sum.Add(value);
    ++count;
  }
  void Merge(const IntTotal& later) {
    sum.Add(later.sum.Get());
    count += later.count;
  }
};

}  // namespace freshet
