// Baselines that any model must beat, and the metrics of a set of predictions, computed over all of them at
// once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace oracle {

struct Scored {
  double probability = 0;
  bool says_true = false;  // what counts for accuracy
  bool label = false;
};

struct Metrics {
  double log_loss = 0, roc_auc = 0, accuracy = 0, brier = 0, calibration_error = 0;
  size_t examples = 0;
};

// Log loss in nats; ROC AUC with ties counting half (nothing but NaN when one class is absent); calibration
// error over 15 equal bins of the probability, weighted by their rows.
Metrics Measure(const std::vector<Scored>& scored);

// (1 + positives) / (2 + n) over the labels learnt so far.
class Prior {
 public:
  double Probability() const { return (1 + positives_) / (2 + n_); }
  void Learn(bool label) {
    n_ += 1;
    positives_ += label ? 1 : 0;
  }

 private:
  double positives_ = 0, n_ = 0;
};

// An answer is a guess made at prediction; its probability is the share of true labels among the earlier rows
// for which the same answer was given. No answer yet (nothing landed there so far): the prior.
class AnswerBaseline {
 public:
  Scored Predict(std::optional<bool> answer, const Prior& prior) const;  // `label` of the result is not set
  void Learn(std::optional<bool> answer, bool label);

 private:
  Prior of_answer_[2];
};

}  // namespace oracle
