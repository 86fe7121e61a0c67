// FTRL-Proximal: H. B. McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013,
// algorithm 1. The weight in the update of z is the published float, the one that predicted.
#include <cmath>

#include "engine/spec/shape.h"
#include "operators/learning/optimizer.h"

namespace freshet {
namespace {

struct FtrlSpec {
  double alpha = 0.1;
  double beta = 1;
  double l1 = 0;
  double l2 = 0;
  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<FtrlSpec>(
            "FTRL-Proximal: a learning rate of its own for each weight, weights of 0 where l1 > 0")
            .Optional<&FtrlSpec::alpha>("alpha", "learning rate")
            .Optional<&FtrlSpec::beta>("beta", "slows the first steps of each weight")
            .Optional<&FtrlSpec::l1>("l1", "keeps weights at 0 that bring little")
            .Optional<&FtrlSpec::l2>("l2", "keeps weights small");
    return shape;
  }
};

class Ftrl final : public Optimizer {
 public:
  Ftrl(const FtrlSpec& spec, ModelState& state, ModelArray<float> weights)
      : spec_(spec),
        state_(state),
        weights_(weights),
        memory_(state.Declare<double>("ftrl", 2 * state.Read(weights).size(), false)) {}

  void Step(std::span<const uint32_t> index, std::span<const double> value, double slope) override {
    const auto weights = state_.Write(weights_);
    const auto memory = state_.Write(memory_);
    const double per_alpha = 1 / spec_.alpha;
    size_t touched = SIZE_MAX;  // block of memory: its slots have their weights in one block, too
    for (const uint32_t slot : index) {
      const size_t block = size_t{2} * slot / ModelState::kBlock;
      if (block == touched) continue;  // as with the numbers, which lie side by side
      touched = block;
      weights.Touch(slot);
      memory.Touch(size_t{2} * slot);
      memory.Prefetch(size_t{2} * slot);  // hashed slots lie anywhere
    }
    for (size_t i = 0; i < index.size(); ++i) {
      const size_t slot = index[i];
      const double gradient = LimitGradient(slope * value[i]);
      const double old_n = memory[2 * slot + 1];
      const double n = old_n + gradient * gradient;
      const double root = std::sqrt(n);
      const double sigma = (root - std::sqrt(old_n)) * per_alpha;
      const double z = memory[2 * slot] + (gradient - sigma * static_cast<double>(weights[slot]));
      memory[2 * slot] = z;
      memory[2 * slot + 1] = n;
      weights[slot] = Weight(z, root, per_alpha);
    }
  }

 private:
  float Weight(double z, double root, double per_alpha) const {
    if (std::abs(z) <= spec_.l1) return 0;
    const double shrunk = z - std::copysign(spec_.l1, z);  // no branch: signs cannot be foretold
    return WeightOf(-shrunk / ((spec_.beta + root) * per_alpha + spec_.l2));
  }

  FtrlSpec spec_;
  ModelState& state_;
  ModelArray<float> weights_;
  ModelArray<double> memory_;  // z and n of each weight, side by side: one line of cache
};

void Check(const void* parameters, Binder& binder) {
  const auto& spec = *static_cast<const FtrlSpec*>(parameters);
  CheckPositive(spec.alpha, false, binder);
  CheckPositive(spec.beta, true, binder);
  CheckPositive(spec.l1, true, binder);
  CheckPositive(spec.l2, true, binder);
}

std::unique_ptr<Optimizer> Make(const void* parameters, ModelState& state, ModelArray<float> weights) {
  return std::make_unique<Ftrl>(*static_cast<const FtrlSpec*>(parameters), state, weights);
}

}  // namespace

const Option& ftrl_optimizer() {
  static const OptimizerKind kind{&Make, &Check};
  static const Option option = OptionOf<FtrlSpec>(
      "ftrl", "FTRL-Proximal as published (McMahan et al. 2013): the usual choice for sparse features",
      &kind);
  return option;
}

}  // namespace freshet
