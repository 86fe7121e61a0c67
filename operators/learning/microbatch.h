#pragma once
// The rows of a microbatch that is not full yet, kept in a table of the trainer's task so that they survive
// commits; where a row is a whole microbatch it is learnt where it lies and never comes here. One thread.
//
// Always, between calls of the operator's Process: the table holds exactly these rows, under their numbers
// from 0. It may hold more than a microbatch only before Open, where the job file asked for larger ones when
// they came. Value of a row: u64 fingerprint of the model's layout, f64 label, f64 a number, u32 a slot; all
// little-endian.
#include <cassert>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "operators/learning/encoder.h"
#include "state/table.h"

namespace freshet {

class Microbatch {
 public:
  Microbatch(const ModelLayout& layout, RawTable& table) : layout_(layout), table_(table), rows_(layout) {}

  static TableSpec Table() { return {"microbatch", 1, false, 0}; }
  // Reads what an earlier run left, once; call before anything else. Whole microbatches of it are learnt
  // there and then, since they come before any newer row.
  using LearnRows = std::function<void(std::span<const RawRow> rows, std::span<const double> labels)>;
  Status Open(const LearnRows& learn);
  void Add(const RawRow& row, double label);
  bool full() const { return rows_.rows() >= static_cast<size_t>(layout_.spec->microbatch); }
  // Whether a row is a whole microbatch: then none waits here, and it is to be learnt without Add.
  // REQUIRES: opened.
  bool takes_one_row() const {
    assert(open_);
    return layout_.spec->microbatch == 1;
  }
  // Until the next call.
  std::span<const RawRow> rows();
  std::span<const double> labels() const { return labels_; }
  // Its rows are learnt.
  Status Clear();
  // Stores the rows that are in memory only.
  Status Keep();

 private:
  Status Take(std::string_view value);
  Status EraseStored();

  const ModelLayout& layout_;
  RawTable& table_;
  bool open_ = false;
  RawRows rows_;
  std::vector<RawRow> views_;  // of rows_; scratch
  std::vector<double> labels_;
  size_t stored_ = 0;  // rows in the table, the first ones
  KeyColumn keys_;     // scratch
  std::vector<RawTable::Slot> slots_;
  std::string value_;
};

}  // namespace freshet
