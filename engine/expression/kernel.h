#pragma once
// Loops that make a kernel of a function of one row. Inside engine/expression only.
//
// Null in, null out: the validity of the result is that of all arguments together, less the rows that failed.
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "engine/expression/instruction.h"

namespace freshet {

inline bool IsValid(const uint64_t* valid, size_t row) {
  return ((valid[row >> 6] >> (row & 63)) & 1) != 0;
}

// `arity`: that of `in`, by which demand goes, as a constant where the caller has one.
inline void MeetValidity(const Instruction& in, size_t arity, Frame& frame, uint64_t* valid) {
  assert(arity == in.arity);
  const size_t words = frame.words();
  for (size_t w = 0; w < words; ++w) {
    uint64_t bits = ~uint64_t{0};
    for (size_t k = 0; k < arity; ++k)
      bits &= frame[in.arguments[k]].valid[w];
    valid[w] = bits;
  }
}

template <class One, class... A>
void EachRowOf(size_t rows, One& one, const A*... arguments) {
  for (size_t row = 0; row < rows; ++row)
    one(row, arguments[row]...);
}

template <class... A, class One, size_t... K>
void EachRowAt(std::index_sequence<K...>, const Instruction& in, Frame& frame, One& one) {
  EachRowOf(frame.rows, one, frame[in.arguments[K]].template as<A>()...);
}

// Calls `one(row, values of A in it...)` for every row.
template <class... A, class One>
void EachRow(const Instruction& in, Frame& frame, One one) {
  EachRowAt<A...>(std::index_sequence_for<A...>(), in, frame, one);
}

// A function that cannot fail.
template <auto F, class R, class... A>
void Total(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, sizeof...(A), frame, valid);
  auto* values = static_cast<R*>(out);
  EachRow<A...>(in, frame, [values](size_t row, A... a) { values[row] = static_cast<R>(F(a...)); });
}

// As Total, for float64 results: one that is not finite is an overflow.
template <auto F, class... A>
void Finite(const Instruction& in, size_t i, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, sizeof...(A), frame, valid);
  auto* values = static_cast<double*>(out);
  bool all = true;
  EachRow<A...>(in, frame, [values, &all](size_t row, A... a) {
    values[row] = F(a...);
    all &= std::fabs(values[row]) <= std::numeric_limits<double>::max();
  });
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
  MeetValidity(in, sizeof...(A), frame, valid);
  auto* values = static_cast<R*>(out);
  EachRow<A...>(in, frame, [&, values](size_t row, A... a) {
    Fault why = Fault::kOverflow;
    if (F(a..., values[row], why)) return;
    values[row] = R{};
    if (IsValid(valid, row)) frame.Fail(i, valid, row, why);
  });
}

}  // namespace freshet
