#pragma once
// The mathematics of a model: from encoded rows to scores, and from labels back to weights. A learner knows
// no streams, tables or scalers, and its bytes live in arrays of the ModelState, so it has nothing to save.
// One thread. Adding one is one file and one line in learners.def.
#include <cstdint>
#include <memory>
#include <span>

#include "engine/operator/definition.h"
#include "engine/operator/model_state.h"
#include "engine/spec/values.h"
#include "operators/learning/loss.h"

namespace freshet {

// Encoded rows: row r holds entries [begin[r], begin[r + 1]) of `index` (slots) and `value` (finite).
struct Examples {
  std::span<const uint32_t> begin;  // rows + 1
  std::span<const uint32_t> index;
  std::span<const double> value;
  size_t rows() const { return begin.size() - 1; }
};

class Learner {
 public:
  virtual ~Learner() = default;
  // One score a row, by the weights as they are. Allocates nothing.
  virtual void Predict(const Examples& rows, std::span<double> scores) const = 0;
  // Learns one microbatch; `weight` is each row's importance, 1 for an ordinary one.
  virtual void Learn(const Examples& rows, std::span<const double> label, std::span<const double> weight) = 0;
  // What each entry of row `row` adds to its score, in the order of its entries.
  virtual void Explain(const Examples& rows, size_t row, std::span<double> contributions) const = 0;
};

struct LearnerSetting {
  ModelState& state;
  size_t slots = 0;  // indices are below it
  const Choice& optimizer;
  bool mean_gradient = false;  // one step a microbatch, not one a row
};

// What hangs on an option of Learners().
struct LearnerKind {
  // Declares the learner's arrays, the same ones in the same order for whoever predicts and whoever trains.
  std::unique_ptr<Learner> (*make)(const void* parameters, const LearnerSetting& setting) = nullptr;
  const Choice& (*loss)(const void* parameters) = nullptr;
};

const Family& Learners();

}  // namespace freshet
