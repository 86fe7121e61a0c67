#include "engine/base/math.h"
#include "engine/spec/shape.h"
#include "operators/learning/loss.h"

namespace freshet {

const Option& logistic_loss() {
  static const Loss loss{true, &Sigmoid, [](double score, double label) { return Sigmoid(score) - label; }};
  static const Option option =
      PlainOption("logistic", "for labels that are true or false; predicts a probability", &loss);
  return option;
}

}  // namespace freshet
