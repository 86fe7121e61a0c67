#pragma once
// One model at run time, over its arrays: scaler, encoder and learner put together. Made by every operator
// that predicts with the model or trains it, all of which declare the same arrays: "layout", "scaler", then
// the learner's. One thread.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "operators/learning/encoder.h"

namespace freshet {

class Model {
 public:
  Model(std::shared_ptr<const ModelLayout> layout, ModelState& state);

  const ModelLayout& layout() const { return *layout_; }
  int64_t version() const { return static_cast<int64_t>(state_.version()); }
  uint64_t examples() const { return state_.examples(); }
  // kConflict where the saved arrays were learnt with other features than the job file's.
  Status Check() const;

  // One score a row of `rows`, by scaler and weights as they are.
  void Predict(const RawRows& rows, std::span<double> scores);
  double Predict(const RawRow& row);
  // What each entry of row `row` of the last Predict added to its score.
  void Explain(size_t row, std::span<double> contributions) const;
  // Learns a whole microbatch: the scaler learns each row, which is then encoded as that scaler has it. A new
  // version.
  void Learn(std::span<const RawRow> rows, std::span<const double> labels);

 private:
  std::shared_ptr<const ModelLayout> layout_;
  ModelState& state_;
  ModelArray<uint64_t> fingerprint_;
  Scaler scaler_;
  FeatureEncoder encoder_;
  std::unique_ptr<Learner> learner_;
  std::vector<double> weights_;  // scratch of Learn
};

}  // namespace freshet
