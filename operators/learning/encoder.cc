#include "operators/learning/encoder.h"

#include <algorithm>
#include <cmath>

namespace freshet {

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

void Scaler::WorkOut() {
  if (!layout_.learns_means) return;
  const double* of_feature = state_.Read(moments_).data();
  for (Scale& scale : state_.Derive(scales_)) {
    const double count = of_feature[0];
    const double variance = count > 0 ? of_feature[2] / count : 0;
    scale = {of_feature[1], variance > 0 ? std::sqrt(variance) : 0};
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
  const size_t numbers = row.numbers.size();
  const NumericFeature* features = layout_.numeric.data();
  const bool scaled = layout_.scales;
  for (size_t i = 0; i < numbers; ++i) {
    const NumericFeature& feature = features[i];
    const double number = row.numbers[i];
    index[i] = feature.slot;
    if (std::isnan(number)) {
      const bool indicator = feature.missing == Missing::kIndicator;
      if (indicator) index[i] = feature.indicator;
      value[i] = indicator ? 1 : scaled ? 0 : scales[i].mean;
    } else if (!scaled) {
      value[i] = number;
    } else {
      value[i] = scales[i].deviation > 0 ? (number - scales[i].mean) / scales[i].deviation : 0;
    }
  }
  std::copy(row.slots.begin(), row.slots.end(), index + numbers);
}

}  // namespace freshet
