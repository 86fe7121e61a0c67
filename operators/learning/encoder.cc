#include "operators/learning/encoder.h"

#include <algorithm>
#include <cmath>

namespace freshet {

Scaler::Scaler(const ModelLayout& layout, ModelState& state)
    : layout_(layout),
      state_(state),
      moments_(state.Declare<double>("scaler", 3 * layout.numeric.size(), true)),
      scales_(layout.numeric.size()) {}

void Scaler::Learn(const RawRow& row) {
  if (!layout_.learns_means) return;
  const auto moments = state_.Write(moments_);
  for (size_t i = 0; i < row.numbers.size(); ++i) {
    const double value = row.numbers[i];
    if (std::isnan(value)) continue;
    moments.Touch(3 * i);
    moments.Touch(3 * i + 2);  // may be the next block
    double& count = moments[3 * i];
    double& mean = moments[3 * i + 1];
    double& squares = moments[3 * i + 2];
    count += 1;
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
  }
}

std::span<const Scaler::Scale> Scaler::Scales() {
  if (!layout_.learns_means) return scales_;
  const std::span<const double> moments = state_.Read(moments_);
  for (size_t i = 0; i < scales_.size(); ++i) {
    const double count = moments[3 * i];
    const double variance = count > 0 ? moments[3 * i + 2] / count : 0;
    scales_[i] = {moments[3 * i + 1], variance > 0 ? std::sqrt(variance) : 0};
  }
  return scales_;
}

void FeatureEncoder::Add(const RawRow& row, std::span<const Scaler::Scale> scales) {
  const size_t first = index_.size();
  index_.resize(first + layout_.entries());
  value_.resize(first + layout_.entries());
  uint32_t* index = index_.data() + first;
  double* value = value_.data() + first;
  *index++ = 0;
  *value++ = 1;
  for (size_t i = 0; i < row.numbers.size(); ++i, ++index, ++value) {
    const NumericFeature& feature = layout_.numeric[i];
    const double number = row.numbers[i];
    *index = feature.slot;
    if (std::isnan(number)) {
      const bool indicator = feature.missing == Missing::kIndicator;
      if (indicator) *index = feature.indicator;
      *value = indicator ? 1 : layout_.scales ? 0 : scales[i].mean;
    } else if (!layout_.scales) {
      *value = number;
    } else {
      *value = scales[i].deviation > 0 ? (number - scales[i].mean) / scales[i].deviation : 0;
    }
  }
  std::copy(row.slots.begin(), row.slots.end(), index);
  std::fill_n(value, row.slots.size(), 1.0);
  begin_.push_back(static_cast<uint32_t>(index_.size()));
}

}  // namespace freshet
