#pragma once
// What baselines would have predicted at the moment of an example's prediction, from the labels known
// strictly before it. One thread.
#include <string>
#include <vector>

#include "operators/evaluation/answers.h"
#include "operators/evaluation/evaluating.h"
#include "operators/evaluation/example_log.h"

namespace freshet {

class Baselines {
 public:
  Baselines(const EvaluatePlan& plan, RawTable& answers);

  // Rows are of this batch from now on.
  void Use(const Batch& batch, Pool& pool, ExpressionFaults& faults);
  // `guesses`: one a baseline, in the plan's order.
  Status Predict(size_t row, Time prediction_time, std::span<Guess> guesses);
  // The label of the row asked about last became known at `time`.
  Status Learn(Time time, bool label, Time horizon);

 private:
  struct Baseline {
    explicit Baseline(const EvaluatePlan::Series& series);
    const EvaluatePlan::Series* series;
    ColumnPtr rule;
    std::vector<const Column*> key;
    Answers::History of_key{false};  // of the labels of the row's key
    Answers::History of_answers[2];  // of those of rows for which the baseline gave that answer
    bool has_key = false;            // the row
    std::optional<bool> answer;      // for the row
  };
  bool BeginKey(size_t row, Baseline& baseline);

  std::vector<Baseline> baselines_;
  Answers answers_;
  Answers::History all_;  // of every label
  std::string key_;       // scratch
};

}  // namespace freshet
