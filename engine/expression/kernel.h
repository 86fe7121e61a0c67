#pragma once
// Loops that make a kernel of a function of one row. Inside engine/expression only.
//
// Null in, null out: the validity of the result is that of all arguments together, less the rows that failed.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "engine/expression/instruction.h"

namespace freshet {

inline bool IsValid(const uint64_t* valid, size_t row) {
  return ((valid[row >> 6] >> (row & 63)) & 1) != 0;
}

inline void MeetValidity(const Instruction& in, Frame& frame, uint64_t* valid) {
  for (size_t w = 0; w < frame.words(); ++w) {
    uint64_t bits = ~uint64_t{0};
    for (size_t k = 0; k < in.arity; ++k)
      bits &= frame[in.arguments[k]].valid[w];
    valid[w] = bits;
  }
}

// A function of one or two values that cannot fail.
template <auto F, class R, class... A>
void Total(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  static_assert(sizeof...(A) == 1 || sizeof...(A) == 2);
  MeetValidity(in, frame, valid);
  auto* values = static_cast<R*>(out);
  if constexpr (sizeof...(A) == 1) {
    const auto* a = (frame[in.arguments[0]].as<A>(), ...);
    for (size_t row = 0; row < frame.rows; ++row)
      values[row] = static_cast<R>(F(a[row]));
  } else {
    [&]<class First, class Second>(const First*, const Second*) {
      const auto* a = frame[in.arguments[0]].as<First>();
      const auto* b = frame[in.arguments[1]].as<Second>();
      for (size_t row = 0; row < frame.rows; ++row)
        values[row] = static_cast<R>(F(a[row], b[row]));
    }(static_cast<const A*>(nullptr)...);
  }
}

// As Total, for float64 results: one that is not finite is an overflow.
template <auto F, class... A>
void Finite(const Instruction& in, size_t i, Frame& frame, void* out, uint64_t* valid) {
  Total<F, double, A...>(in, i, frame, out, valid);
  auto* values = static_cast<double*>(out);
  bool all = true;
  for (size_t row = 0; row < frame.rows; ++row)
    all &= std::fabs(values[row]) <= std::numeric_limits<double>::max();
  if (all) return;
  for (size_t row = 0; row < frame.rows; ++row) {
    if (std::isfinite(values[row])) continue;
    values[row] = 0;
    if (IsValid(valid, row)) frame.Fail(i, valid, row, Fault::kOverflow);
  }
}

// A function that may fail: bool F(A..., R& value, Fault& why).
template <auto F, class R, class... A>
void Partial(const Instruction& in, size_t i, Frame& frame, void* out, uint64_t* valid) {
  static_assert(sizeof...(A) == 1 || sizeof...(A) == 2);
  MeetValidity(in, frame, valid);
  auto* values = static_cast<R*>(out);
  const auto settle = [&](bool good, Fault why, size_t row) {
    if (good) return;
    values[row] = R{};
    if (IsValid(valid, row)) frame.Fail(i, valid, row, why);
  };
  if constexpr (sizeof...(A) == 1) {
    const auto* a = (frame[in.arguments[0]].as<A>(), ...);
    for (size_t row = 0; row < frame.rows; ++row) {
      Fault why = Fault::kOverflow;
      const bool good = F(a[row], values[row], why);
      settle(good, why, row);
    }
  } else {
    [&]<class First, class Second>(const First*, const Second*) {
      const auto* a = frame[in.arguments[0]].as<First>();
      const auto* b = frame[in.arguments[1]].as<Second>();
      for (size_t row = 0; row < frame.rows; ++row) {
        Fault why = Fault::kOverflow;
        const bool good = F(a[row], b[row], values[row], why);
        settle(good, why, row);
      }
    }(static_cast<const A*>(nullptr)...);
  }
}

}  // namespace freshet
