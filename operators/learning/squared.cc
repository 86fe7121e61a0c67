#include "engine/spec/shape.h"
#include "operators/learning/loss.h"

namespace freshet {

const Option& squared_loss() {
  static const Loss loss{false, [](double score) { return score; },
                         [](double score, double label) { return score - label; }};
  static const Option option =
      PlainOption("squared", "half the squared error, for labels that are numbers; predicts a number", &loss);
  return option;
}

}  // namespace freshet
