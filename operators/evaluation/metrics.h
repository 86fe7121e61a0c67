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

struct Scored {
  double probability = 0;
  bool answer = false;  // what counts for accuracy
  bool label = false;
};

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

  void Add(const Scored& example);
  void Add(const Sums& other);
};

// Probabilities in steps of 2^-16, by label, and how often each came. Takes memory for blocks of steps that
// came, and counts again only the pairs within blocks that changed: a span that moves costs what came and
// went.
class Histogram {
 public:
  static constexpr size_t kSteps = size_t{1} << 16;
  static uint16_t StepOf(double probability) {
    const double step = probability * static_cast<double>(kSteps);
    return step >= static_cast<double>(kSteps) ? uint16_t{kSteps - 1} : static_cast<uint16_t>(step);
  }
  enum class Change : uint8_t { kAdd, kTakeAway };  // kTakeAway: what was added before

  void Clear();
  void Apply(Change change, bool label, std::span<const uint16_t> steps);
  void Apply(Change change, bool label, size_t first_step, std::span<const uint64_t> counts);
  void Add(bool label, uint16_t step) { Apply(Change::kAdd, label, {&step, 1}); }
  uint64_t count(bool label, uint16_t step) const;
  // The share of pairs of a true and a false example that are in the right order, a tie counting half.
  // Nothing where a class is missing.
  std::optional<double> RocAuc();

 private:
  static constexpr size_t kWidth = 32;
  static constexpr uint16_t kAbsent = UINT16_MAX;
  struct Block {
    uint64_t counts[2][kWidth] = {};  // by label
    uint64_t totals[2] = {};
    uint64_t twice_won = 0;  // twice the pairs won within the block, modulo 2^64
    bool counted = false;    // twice_won holds
  };
  Block& At(size_t number);
  static void CountPairs(Block& block);
  double TwiceWonRounded() const;

  uint64_t totals_[2] = {};
  std::vector<uint16_t> places_ = std::vector<uint16_t>(kSteps / kWidth, kAbsent);
  std::vector<Block> blocks_;
};

// Nothing where it is undefined: of no examples, or ROC AUC (`roc_auc`, from their histogram) of one class.
std::optional<double> ValueOf(Metric metric, const Sums& sums, std::optional<double> roc_auc);

}  // namespace freshet
