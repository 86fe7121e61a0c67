#pragma once
// Makes a Fold from a struct, its loops inlined:
//
//   struct Sum {
//     using Value = double;          // int64_t; void: only counts
//     using Result = double;         // or int64_t
//     double sum = 0;
//     int64_t count = 0;
//     void Add(double value);        // Add() where Value is void
//     void Merge(const Sum& later);
//     std::optional<double> Finish() const;   // nothing: null
//   };
//
// Its default must be all zero bytes, and its size a multiple of 8.
#include <cstring>
#include <limits>
#include <type_traits>

#include "operators/aggregates/aggregate.h"

namespace freshet {

__extension__ typedef __int128 Int128;  // sums of int64 that cannot overflow

namespace fold_internal {

template <class T>
T LoadFrom(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class S>
void Add(char* state, PackedRows rows, Operand operand, Time after, Time until) {
  S s = LoadFrom<S>(state);
  const char* row = rows.first;
  for (size_t i = 0; i < rows.count; ++i, row += rows.width) {
    const Time time = LoadFrom<Time>(row);
    if (time <= after || time > until || (static_cast<uint8_t>(row[operand.byte]) & operand.mask) == 0)
      continue;
    if constexpr (std::is_void_v<typename S::Value>) {
      s.Add();
    } else {
      s.Add(LoadFrom<typename S::Value>(row + operand.value));
    }
  }
  std::memcpy(state, &s, sizeof(S));
}

template <class S>
void Merge(char* into, std::span<const char* const> parts, size_t offset) {
  S s = LoadFrom<S>(into);
  for (const char* part : parts)
    s.Merge(LoadFrom<S>(part + offset));
  std::memcpy(into, &s, sizeof(S));
}

template <class S>
void Finish(const char* states, std::span<const uint8_t> gone, ColumnBuilder& out) {
  using Result = typename S::Result;
  const std::span<Result> values = out.Fill<Result>(gone.size());
  for (size_t i = 0; i < gone.size(); ++i) {
    const std::optional<Result> value =
        gone[i] != 0 ? std::nullopt : LoadFrom<S>(states + i * sizeof(S)).Finish();
    values[i] = value.value_or(Result{});
    if (!value) out.SetNull(i);
  }
}

}  // namespace fold_internal

template <class S>
Fold FoldOf(Type result) {
  static_assert(std::is_trivially_copyable_v<S> && sizeof(S) % 8 == 0);
  return {result,
          sizeof(S),
          !std::is_void_v<typename S::Value>,
          &fold_internal::Add<S>,
          &fold_internal::Merge<S>,
          &fold_internal::Finish<S>};
}

// The sum as an int64, nothing where it does not fit.
inline std::optional<int64_t> Narrow(Int128 value) {
  if (value < std::numeric_limits<int64_t>::min() || value > std::numeric_limits<int64_t>::max())
    return std::nullopt;
  return static_cast<int64_t>(value);
}

// A 128-bit integer that needs no more than the alignment of its halves.
struct WideSum {
  uint64_t low = 0;
  int64_t high = 0;
  Int128 Get() const { return (static_cast<Int128>(high) << 64) | low; }
  void Add(Int128 value) {
    const Int128 sum = Get() + value;
    low = static_cast<uint64_t>(sum);
    high = static_cast<int64_t>(sum >> 64);
  }
};

}  // namespace freshet
