#include "tests/oracle/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace oracle {
namespace {

constexpr size_t kBins = 15;

// The share of (true, false) pairs that the probabilities put in the right order, a tie counting half.
double RocAuc(std::vector<Scored> scored) {
  std::sort(scored.begin(), scored.end(),
            [](const Scored& a, const Scored& b) { return a.probability < b.probability; });
  double positives = 0, negatives = 0, pairs_won = 0;
  for (size_t first = 0; first < scored.size();) {
    double true_here = 0, false_here = 0;
    size_t next = first;
    for (; next < scored.size() && scored[next].probability == scored[first].probability; ++next) {
      (scored[next].label ? true_here : false_here) += 1;
    }
    pairs_won += true_here * (negatives + false_here / 2);
    positives += true_here;
    negatives += false_here;
    first = next;
  }
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  return pairs_won / (positives * negatives);
}

double CalibrationError(const std::vector<Scored>& scored) {
  double promised[kBins] = {}, came[kBins] = {};
  for (const Scored& s : scored) {
    const size_t bin = std::min(kBins - 1, static_cast<size_t>(s.probability * kBins));
    promised[bin] += s.probability;
    came[bin] += s.label ? 1 : 0;
  }
  double error = 0;
  for (size_t bin = 0; bin < kBins; ++bin)
    error += std::abs(promised[bin] - came[bin]);
  return error / static_cast<double>(scored.size());
}

}  // namespace

Metrics Measure(const std::vector<Scored>& scored) {
  Metrics m;
  m.examples = scored.size();
  if (scored.empty()) return m;
  for (const Scored& s : scored) {
    const double of_label = s.label ? s.probability : 1 - s.probability;
    m.log_loss -= std::log(std::max(of_label, 1e-15));
    m.brier += (1 - of_label) * (1 - of_label);
    m.accuracy += s.says_true == s.label ? 1 : 0;
  }
  const double n = static_cast<double>(scored.size());
  m.log_loss /= n;
  m.brier /= n;
  m.accuracy /= n;
  m.roc_auc = RocAuc(scored);
  m.calibration_error = CalibrationError(scored);
  return m;
}

Scored AnswerBaseline::Predict(std::optional<bool> answer, const Prior& prior) const {
  if (!answer) return {.probability = prior.Probability(), .says_true = prior.Probability() >= 0.5};
  return {.probability = of_answer_[*answer ? 1 : 0].Probability(), .says_true = *answer};
}

void AnswerBaseline::Learn(std::optional<bool> answer, bool label) {
  if (answer) of_answer_[*answer ? 1 : 0].Learn(label);
}

}  // namespace oracle
