#pragma once
// From columns to what a learner reads, in two steps, since a row may be kept between them: a batch becomes
// raw rows (numbers unscaled, categories as slots), column by column; raw rows become entries of Examples,
// scaled as the scaler is by then. One thread.
//
// A row always has the same entries in the same order: the intercept, each numeric feature (its value, or its
// indicator where it is missing), each categorical feature, each cross.
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/data/batch.h"
#include "operators/learning/layout.h"
#include "operators/learning/learner.h"

namespace freshet {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kNumberLimit = 1e100;  // numbers beyond it count as not finite

// Rows as a model reads them, to be predicted or learnt in place, or kept until their microbatch is full.
struct RawRow {
  std::span<const double> numbers;  // one a numeric feature, unscaled; NaN: missing
  std::span<const uint32_t> slots;  // one a categorical feature, then one a cross
};

class RawRows {
 public:
  explicit RawRows(const ModelLayout& layout)
      : numbers_a_row_(layout.numeric.size()),
        slots_a_row_(layout.categorical.size() + layout.crosses.size()) {}

  size_t rows() const { return rows_; }
  RawRow operator[](size_t row) const {
    return {{numbers_.data() + row * numbers_a_row_, numbers_a_row_},
            {slots_.data() + row * slots_a_row_, slots_a_row_}};
  }
  void Clear() { Resize(0); }
  // What is in rows that are new means nothing.
  void Resize(size_t rows) {
    rows_ = rows;
    if (numbers_.size() < rows * numbers_a_row_) numbers_.resize(rows * numbers_a_row_);
    if (slots_.size() < rows * slots_a_row_) slots_.resize(rows * slots_a_row_);
  }
  void Add(const RawRow& row);
  double* numbers(size_t row) { return numbers_.data() + row * numbers_a_row_; }
  uint32_t* slots(size_t row) { return slots_.data() + row * slots_a_row_; }
  size_t numbers_a_row() const { return numbers_a_row_; }
  size_t slots_a_row() const { return slots_a_row_; }

 private:
  size_t numbers_a_row_;
  size_t slots_a_row_;
  size_t rows_ = 0;
  std::vector<double> numbers_;  // room for as many rows as there ever were
  std::vector<uint32_t> slots_;
};

// Why a row cannot be used.
struct RowFault {
  enum class Kind : uint8_t { kNone, kNotFinite, kNull };
  Kind kind = Kind::kNone;
  uint32_t feature = 0;  // numeric
};

// Sends a row with a fault to the dead letters.
void Refuse(const Batch& batch, size_t row, RowFault fault, const ModelLayout& layout,
            OperatorContext& context);

class RowReader {
 public:
  explicit RowReader(const ModelLayout& layout) : layout_(layout) {}
  // All rows of `batch`. Returns how many have faults (the first of each row in faults()); their numbers are
  // useless.
  size_t Read(const Batch& batch, RawRows& rows);
  std::span<const RowFault> faults() const { return faults_; }  // one a row

 private:
  void ReadNumbers(const Batch& batch, RawRows& rows);
  void ReadCategories(const Batch& batch, RawRows& rows);  // fills hashes_
  void ReadCrosses(RawRows& rows);
  void Fault(size_t row, size_t feature, RowFault::Kind kind);

  const ModelLayout& layout_;
  std::vector<RowFault> faults_;
  size_t faulty_ = 0;
  std::vector<uint64_t> hashes_;  // of each category those of the batch's rows
};

// Running mean and variance of each numeric feature: B. P. Welford, Technometrics 4(3), 1962; population
// variance.
class Scaler {
 public:
  // Declares the published array "scaler": count, mean and sum of squares of each feature. What these come to
  // is shared with all who scale for the model, so that it is worked out once a version.
  Scaler(const ModelLayout& layout, ModelState& state);
  // Values of a row's numeric features as the learner sees them (missing ones are the encoder's).
  struct Scale {
    double mean = 0;
    double deviation = 0;  // 0: nothing to scale by, values count as 0
  };
  // Rows of a microbatch will be learnt, and a row may lack features: their scales are those of the version
  // before it until one brings them.
  void BeginMicrobatch() { Scales(); }
  // Learns a row. Scales as it leaves them, in the middle of a microbatch; valid until the next call.
  // REQUIRES: BeginMicrobatch.
  std::span<const Scale> Learn(const RawRow& row);
  // As the last whole microbatch left them; valid until the next call.
  std::span<const Scale> Scales() {
    if (!state_.is_current(scales_)) {
      WorkOut();
      state_.SetCurrent(scales_);
    }
    return state_.Derive(scales_);
  }
  // The microbatch is learnt, and its last row's scales are those of the new version.
  void EndMicrobatch() { state_.SetCurrent(scales_); }

 private:
  void WorkOut();

  const ModelLayout& layout_;
  ModelState& state_;
  ModelArray<double> moments_;
  DerivedArray<Scale> scales_;
};

// Rows of Examples in the making.
class FeatureEncoder {
 public:
  explicit FeatureEncoder(const ModelLayout& layout);
  void Clear() { rows_ = 0; }
  void Add(const RawRow& row, std::span<const Scaler::Scale> scales);
  // Until the next Add.
  Examples examples() const {
    const size_t size = rows_ * entries_;
    return {std::span(begin_).first(rows_ + 1), std::span(index_).first(size), std::span(value_).first(size)};
  }

 private:
  void Grow();
  template <bool kScaled>
  void AddNumbers(const RawRow& row, std::span<const Scaler::Scale> scales, uint32_t* index,
                  double* value) const;

  const ModelLayout& layout_;
  const size_t entries_;
  size_t rows_ = 0;
  // Room for as many rows as there ever were.
  std::vector<uint32_t> begin_;
  std::vector<uint32_t> index_;
  std::vector<double> value_;
};

}  // namespace freshet
