#include "operators/evaluation/metrics.h"

#include <algorithm>
#include <cmath>

#include "engine/base/math.h"

namespace freshet {

void Sums::Add(double probability, bool answer, bool label) {
  ++examples;
  positives += label ? 1 : 0;
  correct += answer == label ? 1 : 0;
  log_loss += LogLoss(probability, label);
  const double error = probability - (label ? 1.0 : 0.0);
  brier += error * error;
  Bin& bin = bins[std::min(kBins - 1, static_cast<size_t>(probability * static_cast<double>(kBins)))];
  bin.probability += probability;
  bin.positives += label ? 1 : 0;
}

void Sums::Add(const Sums& other) {
  examples += other.examples;
  positives += other.positives;
  correct += other.correct;
  log_loss += other.log_loss;
  brier += other.brier;
  for (size_t i = 0; i < kBins; ++i) {
    bins[i].probability += other.bins[i].probability;
    bins[i].positives += other.bins[i].positives;
  }
}

void Histogram::Clear() {
  for (std::vector<uint64_t>& counts : counts_)
    std::fill(counts.begin(), counts.end(), 0);
}

void Histogram::Add(bool label, size_t first_step, std::span<const uint64_t> counts) {
  uint64_t* to = counts_[label ? 1 : 0].data() + first_step;
  for (size_t i = 0; i < counts.size(); ++i)
    to[i] += counts[i];
}

std::optional<double> Histogram::RocAuc() const {
  uint64_t positives = 0;
  uint64_t negatives = 0;
  double won = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    const uint64_t here = counts_[1][step];
    const uint64_t against = counts_[0][step];
    if (here != 0) won += static_cast<double>(here) * static_cast<double>(2 * negatives + against);
    positives += here;
    negatives += against;
  }
  if (positives == 0 || negatives == 0) return std::nullopt;
  return won / 2 / (static_cast<double>(positives) * static_cast<double>(negatives));
}

namespace {

double CalibrationError(const Sums& sums) {
  double error = 0;
  for (const Sums::Bin& bin : sums.bins)
    error += std::abs(bin.probability - static_cast<double>(bin.positives));
  return error;
}

}  // namespace

std::optional<double> ValueOf(Metric metric, const Sums& sums, const Histogram& histogram) {
  if (sums.examples == 0) return std::nullopt;
  const auto n = static_cast<double>(sums.examples);
  switch (metric) {
    case Metric::kLogLoss:
      return sums.log_loss / n;
    case Metric::kRocAuc:
      return histogram.RocAuc();
    case Metric::kAccuracy:
      return static_cast<double>(sums.correct) / n;
    case Metric::kBrier:
      return sums.brier / n;
    case Metric::kCalibrationError:
      return CalibrationError(sums) / n;
  }
  return std::nullopt;
}

}  // namespace freshet
