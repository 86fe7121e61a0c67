#include "operators/learning/encoder.h"

#include <algorithm>
#include <cmath>

namespace freshet {
namespace {

Scaler::Scale ScaleOf(double count, double mean, double squares) {
  const double variance = count > 0 ? squares / count : 0;
  return {mean, variance > 0 ? std::sqrt(variance) : 0};
}

}  // namespace

void RawRows::Add(const RawRow& row) {
  Resize(rows_ + 1);
  std::copy(row.numbers.begin(), row.numbers.end(), numbers(rows_ - 1));
  std::copy(row.slots.begin(), row.slots.end(), slots(rows_ - 1));
}

Scaler::Scaler(const ModelLayout& layout, ModelState& state)
    : layout_(layout),
      state_(state),
      moments_(state.Declare<double>("scaler", 3 * layout.numeric.size(), true)),
      scales_(state.DeclareDerived<Scale>("scales", layout.numeric.size())) {}

std::span<const Scaler::Scale> Scaler::Learn(const RawRow& row) {
  const std::span<Scale> scales = state_.Derive(scales_);
  if (!layout_.learns_means) return scales;
  const auto moments = state_.Write(moments_);
  const std::span<const double> numbers = row.numbers;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double value = numbers[i];
    if (std::isnan(value)) continue;
    moments.Touch(3 * i);
    moments.Touch(3 * i + 2);  // may be the next block
    double* of_feature = &moments[3 * i];
    const double count = of_feature[0] + 1;
    const double before = value - of_feature[1];
    const double mean = of_feature[1] + before / count;
    const double squares = of_feature[2] + before * (value - mean);
    of_feature[0] = count;
    of_feature[1] = mean;
    of_feature[2] = squares;
    scales[i] = ScaleOf(count, mean, squares);
  }
  return scales;
}

void Scaler::WorkOut() {
  if (!layout_.learns_means) return;
  const double* of_feature = state_.Read(moments_).data();
  for (Scale& scale : state_.Derive(scales_)) {
    scale = ScaleOf(of_feature[0], of_feature[1], of_feature[2]);
    of_feature += 3;
  }
}

FeatureEncoder::FeatureEncoder(const ModelLayout& layout) : layout_(layout), entries_(layout.entries()) {
  begin_.push_back(0);
}

// What is the same in every row is written here, once.
void FeatureEncoder::Grow() {
  index_.resize(begin_.size() * entries_);
  value_.resize(begin_.size() * entries_, 1);
  index_[index_.size() - entries_] = 0;  // the intercept
  begin_.push_back(static_cast<uint32_t>(index_.size()));
}

void FeatureEncoder::Add(const RawRow& row, std::span<const Scaler::Scale> scales) {
  if (rows_ + 1 == begin_.size()) Grow();
  uint32_t* index = index_.data() + begin_[rows_] + 1;
  double* value = value_.data() + begin_[rows_] + 1;
  ++rows_;
  if (layout_.scales) {
    AddNumbers<true>(row, scales, index, value);
  } else {
    AddNumbers<false>(row, scales, index, value);
  }
  std::copy(row.slots.begin(), row.slots.end(), index + row.numbers.size());
}

template <bool kScaled>
void FeatureEncoder::AddNumbers(const RawRow& row, std::span<const Scaler::Scale> scales, uint32_t* index,
                                double* value) const {
  const std::span<const double> numbers = row.numbers;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double number = numbers[i];
    index[i] = ModelLayout::kFirstNumber + static_cast<uint32_t>(i);
    if (std::isnan(number)) {
      const NumericFeature& feature = layout_.numeric[i];
      const bool indicator = feature.missing == Missing::kIndicator;
      if (indicator) index[i] = feature.indicator;
      value[i] = indicator ? 1 : kScaled ? 0 : scales[i].mean;
    } else if constexpr (!kScaled) {
      value[i] = number;
    } else {
      value[i] = scales[i].deviation > 0 ? (number - scales[i].mean) / scales[i].deviation : 0;
    }
  }
}

}  // namespace freshet
