#pragma once
// Aggregates of windows: how the state of one is made from rows, merged and read. Adding one is one file
// beside this header and one line in aggregates.def. Pure functions on plain bytes; any thread.
//
// Always: the state of no rows is all zero bytes; states are plain bytes without pointers and need no
// alignment, since they live in packed tiles; merging is associative up to the rounding of floats, and
// whoever merges does so in the order of event time, so that equal rows in equal order give equal bits.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/data/column.h"
#include "engine/data/type.h"

namespace freshet {

// Packed rows, back to back: 8 bytes of event time, then values of 8 bytes (int64, or the bits of a double;
// bools as 0 and 1), then bits that say for which operands the row counts.
struct PackedRows {
  const char* first = nullptr;
  size_t count = 0;
  size_t width = 0;  // bytes of a row
};

// Where in a packed row an aggregate finds its argument, and whether the row counts for it at all.
struct Operand {
  uint32_t value = 0;  // offset of the value; unused by aggregates that only count
  uint32_t byte = 0;   // offset of the byte that holds the bit
  uint8_t mask = 1;    // the row counts where the bit is set: argument not null, `where` true
  bool operator==(const Operand&) const = default;
};

// An aggregate for one type of argument.
struct Fold {
  Type result = Type::kFloat64;
  uint32_t size = 0;        // bytes of state, a multiple of 8
  bool reads_value = true;  // else only the operand's bit is read
  // Adds the rows with after < time <= until.
  void (*add)(char* state, PackedRows rows, Operand operand, Time after, Time until) = nullptr;
  // Merges the states at `parts[i] + offset`, in that order.
  void (*merge)(char* into, std::span<const char* const> parts, size_t offset) = nullptr;
  // One value for each of the consecutive states, null where `gone` is set.
  void (*finish)(const char* states, std::span<const uint8_t> gone, ColumnBuilder& out) = nullptr;
};

struct Aggregate {
  std::string_view name;  // the key in the job file: {mean: x, window: 1h}
  std::string_view doc;
  std::string_view arguments;  // for messages: "a number or a duration"
  bool takes_rows = false;     // "*" may stand for the argument
  // No value: not of that type. `argument` is nothing for "*".
  std::optional<Fold> (*fold)(std::optional<Type> argument) = nullptr;
};

std::span<const Aggregate* const> Aggregates();         // in the order of aggregates.def
const Aggregate* FindAggregate(std::string_view name);  // null: there is none

}  // namespace freshet
