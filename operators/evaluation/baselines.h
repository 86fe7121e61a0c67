#pragma once
// What baselines would have predicted at the moment of an example's prediction, from the labels known
// strictly before it. One thread.
#include <string>
#include <vector>

#include "operators/evaluation/answers.h"
#include "operators/evaluation/evaluating.h"

namespace freshet {

struct Guess {
  double probability = 0.5;
  bool answer = true;  // what counts for accuracy
};

class Baselines {
 public:
  Baselines(const EvaluatePlan& plan, RawTable& answers);

  // The batch whose rows are asked about next.
  void Use(const Batch& batch, Pool& pool, ExpressionFaults& faults);
  // `guesses`: one a baseline, in the plan's order.
  Status Predict(size_t row, Time prediction_time, std::vector<Guess>& guesses);
  // The label of the row asked about last became known at `time`.
  Status Learn(Time time, bool label, Time horizon);

 private:
  struct Baseline {
    const EvaluatePlan::Series* series = nullptr;
    ColumnPtr rule;
    std::string label_key;       // of the history of the row's key; empty: it has none
    std::optional<bool> answer;  // for the row
  };
  void SetLabelKey(Baseline& baseline, size_t row) const;
  static std::string_view KeyOf(const Baseline& baseline, bool answer, std::string& key);

  std::vector<Baseline> baselines_;
  Answers answers_;
  Batch batch_;
  std::string key_;
};

}  // namespace freshet
