#pragma once
// What a learner minimises: from a score (the learner's raw output) and a label to a gradient. Pure, any
// thread. Adding a loss is one file and one line in losses.def.
#include <string_view>

#include "engine/spec/values.h"

namespace freshet {

struct Loss {
  bool classifies =
      false;  // the label is a bool (as 0 or 1) and the prediction a probability; else both are numbers
  double (*prediction)(double score) = nullptr;
  double (*slope)(double score, double label) = nullptr;  // d loss / d score
};

const Family& Losses();

// The column a prediction of this loss goes to: `<model>.probability` or `<model>.value`.
constexpr std::string_view PredictionName(const Loss& loss) {
  return loss.classifies ? "probability" : "value";
}
inline const Loss& LossOf(const Choice& choice) {
  return *static_cast<const Loss*>(choice.option->implementation);
}

}  // namespace freshet
