// AdaGrad, diagonal form: J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning
// and Stochastic Optimization", JMLR 12, 2011, section 1.3.
#include <cmath>

#include "engine/spec/shape.h"
#include "operators/learning/optimizer.h"

namespace freshet {
namespace {

struct AdagradSpec {
  double rate = 0.1;
  double epsilon = 1e-8;
  double l2 = 0;
  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<AdagradSpec>("w -= rate * g / (sqrt(sum of g squared) + epsilon), for each weight")
            .Optional<&AdagradSpec::rate>("rate", "learning rate")
            .Optional<&AdagradSpec::epsilon>("epsilon", "keeps the first step finite")
            .Optional<&AdagradSpec::l2>("l2", "adds l2 * w to the gradient of the weights a row uses");
    return shape;
  }
};

class Adagrad final : public Optimizer {
 public:
  Adagrad(const AdagradSpec& spec, ModelState& state, ModelArray<float> weights)
      : spec_(spec),
        state_(state),
        weights_(weights),
        squares_(state.Declare<double>("adagrad", state.Read(weights).size(), false)) {}

  void Step(std::span<const uint32_t> index, std::span<const double> value, double slope) override {
    const auto weights = state_.Write(weights_);
    const auto all_squares = state_.Write(squares_);
    for (size_t i = 0; i < index.size(); ++i) {
      weights.Touch(index[i]);
      all_squares.Touch(index[i]);
      float& weight = weights[index[i]];
      double& squares = all_squares[index[i]];
      const double old = static_cast<double>(weight);
      const double gradient = LimitGradient(slope * value[i] + spec_.l2 * old);
      squares += gradient * gradient;
      weight = WeightOf(old - spec_.rate * gradient / (std::sqrt(squares) + spec_.epsilon));
    }
  }

 private:
  AdagradSpec spec_;
  ModelState& state_;
  ModelArray<float> weights_;
  ModelArray<double> squares_;
};

void Check(const void* parameters, Binder& binder) {
  const auto& spec = *static_cast<const AdagradSpec*>(parameters);
  CheckPositive(spec.rate, false, binder);
  CheckPositive(spec.epsilon, false, binder);
  CheckPositive(spec.l2, true, binder);
}

std::unique_ptr<Optimizer> Make(const void* parameters, ModelState& state, ModelArray<float> weights) {
  return std::make_unique<Adagrad>(*static_cast<const AdagradSpec*>(parameters), state, weights);
}

}  // namespace

const Option& adagrad_optimizer() {
  static const OptimizerKind kind{&Make, &Check};
  static const Option option = OptionOf<AdagradSpec>(
      "adagrad", "a learning rate for each weight that falls with the gradients it saw", &kind);
  return option;
}

}  // namespace freshet
