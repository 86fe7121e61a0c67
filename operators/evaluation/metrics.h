#pragma once
// What `evaluate` measures, from sums over examples. An example is a probability of true, the answer it
// stands for, and the label. Values, no state of their own.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace freshet {

enum class Metric : uint8_t { kLogLoss, kRocAuc, kAccuracy, kBrier, kCalibrationError };
inline constexpr std::array<std::string_view, 5> kMetricNames{"log_loss", "roc_auc", "accuracy", "brier",
                                                              "calibration_error"};

// Everything but the ROC AUC. Kept in state as its bytes.
struct Sums {
  // Equal bins of the probability; the expected calibration error of Naeini, Cooper and Hauskrecht,
  // "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (2015), section 4.
  static constexpr size_t kBins = 15;
  struct Bin {
    double probability = 0;  // sum
    int64_t positives = 0;
  };
  int64_t examples = 0;
  int64_t positives = 0;
  int64_t correct = 0;
  double log_loss = 0;
  double brier = 0;
  Bin bins[kBins];

  void Add(double probability, bool answer, bool label);
  void Add(const Sums& other);
};

// Probabilities in steps of 2^-16, by label, and how often each came.
class Histogram {
 public:
  static constexpr size_t kSteps = size_t{1} << 16;
  static uint16_t StepOf(double probability) {
    const double step = probability * static_cast<double>(kSteps);
    return step >= static_cast<double>(kSteps) ? uint16_t{kSteps - 1} : static_cast<uint16_t>(step);
  }
  void Clear();
  void Add(bool label, uint16_t step) { ++counts_[label ? 1 : 0][step]; }
  void Add(bool label, size_t first_step, std::span<const uint64_t> counts);
  std::span<const uint64_t> counts(bool label) const { return counts_[label ? 1 : 0]; }
  // The share of pairs of a true and a false example that are in the right order, a tie counting half.
  // Nothing where a class is missing.
  std::optional<double> RocAuc() const;

 private:
  template <class T>
  T TwicePairsWon() const;

  std::vector<uint64_t> counts_[2] = {std::vector<uint64_t>(kSteps), std::vector<uint64_t>(kSteps)};
};

// Nothing where it is undefined: of no examples, or ROC AUC of one class.
std::optional<double> ValueOf(Metric metric, const Sums& sums, const Histogram& histogram);

}  // namespace freshet
