#include "operators/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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
  const auto total = [](std::span<const uint64_t> counts) {
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  };
  const uint64_t positives = total(counts_[1]);
  const uint64_t negatives = total(counts_[0]);
  if (positives == 0 || negatives == 0) return std::nullopt;
  const double pairs = static_cast<double>(positives) * static_cast<double>(negatives);
  // Twice the pairs won fit 64 bits: no rounding, and faster.
  const bool exact = positives < uint64_t{1} << 31 && negatives < uint64_t{1} << 31;
  return (exact ? static_cast<double>(TwicePairsWon<uint64_t>()) : TwicePairsWon<double>()) / 2 / pairs;
}

template <class T>
T Histogram::TwicePairsWon() const {
  uint64_t twice_below = 0;  // twice the negatives below this step
  T won = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    const uint64_t against = counts_[0][step];
    won += static_cast<T>(counts_[1][step]) * static_cast<T>(twice_below + against);
    twice_below += 2 * against;
  }
  return won;
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
