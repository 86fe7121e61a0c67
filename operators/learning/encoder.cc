#include "operators/learning/encoder.h"

#include <cmath>

namespace freshet {

Scaler::Scaler(const ModelLayout& layout, ModelState& state)
    : layout_(layout),
      state_(state),
      moments_(state.Declare<double>("scaler", 3 * layout.numeric.size(), true)),
      scales_(layout.numeric.size()) {}

void Scaler::Learn(const RawRow& row) {
  if (!layout_.learns_means) return;
  const std::span<double> moments = state_.Write(moments_);
  for (size_t i = 0; i < row.numbers.size(); ++i) {
    const double value = row.numbers[i];
    if (std::isnan(value)) continue;
    double& count = moments[3 * i];
    double& mean = moments[3 * i + 1];
    double& squares = moments[3 * i + 2];
    count += 1;
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
    state_.Touch(moments_, 3 * i);
    state_.Touch(moments_, 3 * i + 2);  // may be the next block
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

void Encoder::Add(const RawRow& row, std::span<const Scaler::Scale> scales) {
  const auto add = [this](uint32_t index, double value) {
    index_.push_back(index);
    value_.push_back(value);
  };
  add(0, 1);
  for (size_t i = 0; i < row.numbers.size(); ++i) {
    const NumericFeature& feature = layout_.numeric[i];
    const double number = row.numbers[i];
    if (std::isnan(number)) {
      if (feature.missing == Missing::kIndicator) {
        add(feature.indicator, 1);
      } else {
        add(feature.slot, layout_.scales ? 0 : scales[i].mean);
      }
    } else if (!layout_.scales) {
      add(feature.slot, number);
    } else {
      const Scaler::Scale& scale = scales[i];
      add(feature.slot, scale.deviation > 0 ? (number - scale.mean) / scale.deviation : 0);
    }
  }
  for (const uint32_t slot : row.slots)
    add(slot, 1);
  begin_.push_back(static_cast<uint32_t>(index_.size()));
}

}  // namespace freshet
