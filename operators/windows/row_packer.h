#pragma once
// Turns the rows of a batch into packed rows (aggregate.h): their times, the arguments of aggregates, and for
// each pair of argument and condition the bit that says whether the row counts. Planned once, then immutable.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/pool.h"
#include "engine/data/batch.h"
#include "engine/expression/expression.h"
#include "operators/aggregates/aggregate.h"

namespace freshet {

class RowPacker {
 public:
  // --- planning ---
  // A pair of argument (null: the row itself) and condition (null: none), told apart by their texts; its
  // number. `stored`: whether the value is needed, or only whether it is null.
  size_t Add(const ExprPtr& argument, std::string_view argument_text, bool stored, const ExprPtr& where,
             std::string_view where_text);
  void Close();  // once all pairs are there
  Operand operand(size_t pair) const;
  uint32_t width() const { return width_; }  // of a packed row
  // What the bytes of a row mean, as text: different where they must not be read as the other.
  std::string Description() const;

  // --- run time ---
  struct Scratch {
    std::vector<ColumnPtr> values, conditions;
  };
  // Sets `out` to batch.rows() packed rows.
  void Pack(Pool& pool, const Batch& batch, ExpressionFaults& faults, Scratch& scratch,
            std::string& out) const;

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Value {
    ExprPtr program;
    std::string text;
    bool stored = false;
    uint32_t offset = 0;
  };
  struct Condition {
    ExprPtr program;
    std::string text;
  };
  struct Pair {
    size_t value = kNone;
    size_t condition = kNone;
    bool operator==(const Pair&) const = default;
  };
  std::vector<Value> values_;
  std::vector<Condition> conditions_;
  std::vector<Pair> pairs_;
  uint32_t bits_offset_ = 0;
  uint32_t width_ = 0;
};

}  // namespace freshet
