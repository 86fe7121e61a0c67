#pragma once
// What `evaluate` measures, from sums over examples. An example is a probability of true, the answer it
// stands for, and the label. Values, no state of their own.
#include <array>
#include <cstdint>
#include <map>
#include <memory>
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

// Probabilities in steps of 2^-16, by label, and how often each came. The pairs won are summed up in a tree,
// steps in blocks in groups, of which only what changed is counted again: a span that moves costs what came
// and went. Takes memory for groups that something came into, about 0.6 MiB at most.
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
  static constexpr size_t kWidth = 16;   // steps of a block
  static constexpr size_t kBlocks = 64;  // of a group
  static constexpr size_t kGroups = 64;
  // Narrow: what is not in the processor's caches is most of the work.
  struct Counts {
    uint32_t of[2] = {};  // by label; modulo 2^32
  };
  struct Block {
    Counts totals;
    uint64_t twice_won = 0;  // twice the pairs won within
  };
  struct Group {
    Counts counts[kBlocks * kWidth];
    Block blocks[kBlocks];
    uint64_t totals[2] = {};
    uint64_t twice_won = 0;
    uint64_t changed = 0;  // a bit for each block that is not as `blocks` has it
  };
  void Count(bool label, size_t step, uint64_t by) {
    std::unique_ptr<Group>& group = groups_[step / (kBlocks * kWidth)];
    if (group == nullptr) group = std::make_unique<Group>();
    uint32_t& count = group->counts[step % (kBlocks * kWidth)].of[label ? 1 : 0];
    const uint64_t sum = count + by;  // modulo 2^64, as `by` is what may be taken away
    count = static_cast<uint32_t>(sum);
    group->changed |= uint64_t{1} << (step / kWidth % kBlocks);
    if (sum >> 32 != 0) Carry(label, step, sum >> 32);
  }
  void Carry(bool label, size_t step, uint64_t above);
  static void CountPairs(Group& group);
  double TwiceWonRounded() const;

  uint64_t totals_[2] = {};
  std::vector<std::unique_ptr<Group>> groups_ = std::vector<std::unique_ptr<Group>>(kGroups);
  // By 2 * step + label, what the count of a step has above its 32 bits, modulo 2^32.
  std::map<size_t, uint64_t> above_;
};

// Nothing where it is undefined: of no examples, or ROC AUC (`roc_auc`, from their histogram) of one class.
std::optional<double> ValueOf(Metric metric, const Sums& sums, std::optional<double> roc_auc);

}  // namespace freshet
