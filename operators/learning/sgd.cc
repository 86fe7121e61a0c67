// Stochastic gradient descent with one learning rate for all weights: rate / t^power at the t-th step.
#include "engine/base/math.h"
#include "engine/spec/shape.h"
#include "operators/learning/optimizer.h"

namespace freshet {
namespace {

struct SgdSpec {
  double rate = 0.01;
  double power = 0;
  double l2 = 0;
  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<SgdSpec>("w -= rate / t^power * g; t counts the steps from 1")
            .Optional<&SgdSpec::rate>("rate", "learning rate")
            .Optional<&SgdSpec::power>("power",
                                       "how the rate falls: 0 is a constant rate, which goes on adapting; "
                                       "0.5 or 1 settles down")
            .Optional<&SgdSpec::l2>("l2", "adds l2 * w to the gradient of the weights a row uses");
    return shape;
  }
};

class Sgd final : public Optimizer {
 public:
  Sgd(const SgdSpec& spec, ModelState& state, ModelArray<float> weights)
      : spec_(spec), state_(state), weights_(weights), steps_(state.Declare<uint64_t>("sgd", 1, false)) {}

  void Step(std::span<const uint32_t> index, std::span<const double> value, double slope) override {
    const auto weights = state_.Write(weights_);
    const double rate = NextRate();
    for (size_t i = 0; i < index.size(); ++i) {
      weights.Touch(index[i]);
      float& weight = weights[index[i]];
      const double old = static_cast<double>(weight);
      weight = WeightOf(old - rate * LimitGradient(slope * value[i] + spec_.l2 * old));
    }
  }

 private:
  double NextRate() {
    const auto all_steps = state_.Write(steps_);
    all_steps.Touch(0);
    uint64_t& steps = all_steps[0];
    ++steps;
    return spec_.power == 0 ? spec_.rate : spec_.rate / Pow(static_cast<double>(steps), spec_.power);
  }

  SgdSpec spec_;
  ModelState& state_;
  ModelArray<float> weights_;
  ModelArray<uint64_t> steps_;
};

void Check(const void* parameters, Binder& binder) {
  const auto& spec = *static_cast<const SgdSpec*>(parameters);
  CheckPositive(spec.rate, false, binder);
  CheckPositive(spec.l2, true, binder);
  if (!(spec.power >= 0 && spec.power <= 1)) binder.Error(&spec.power, "give a power from 0 to 1");
}

std::unique_ptr<Optimizer> Make(const void* parameters, ModelState& state, ModelArray<float> weights) {
  return std::make_unique<Sgd>(*static_cast<const SgdSpec*>(parameters), state, weights);
}

}  // namespace

const Option& sgd_optimizer() {
  static const OptimizerKind kind{&Make, &Check};
  static const Option option =
      OptionOf<SgdSpec>("sgd", "plain gradient descent, one learning rate for all weights", &kind);
  return option;
}

}  // namespace freshet
