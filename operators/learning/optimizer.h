#pragma once
// How a learner's weights follow gradients. An optimizer writes the weights of one model and keeps what it
// remembers of each in private arrays of the ModelState, so it has nothing to save. Belongs to the model's
// one trainer; one thread. Adding one is one file and one line in optimizers.def.
//
// Always: weights and memory stay finite, whatever gradients come: a gradient counts for at most
// kGradientLimit, a weight saturates at kWeightLimit.
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/operator/definition.h"
#include "engine/operator/model_state.h"
#include "engine/spec/values.h"

namespace freshet {

inline constexpr double kGradientLimit = 1e100;
inline constexpr double kWeightLimit = 1e30;

inline double Within(double limit, double value) {
  if (std::abs(value) <= limit) return value;  // as a rule
  return value > limit ? limit : value < -limit ? -limit : value;
}
inline double LimitGradient(double gradient) {
  return Within(kGradientLimit, gradient);
}
inline float WeightOf(double weight) {
  return static_cast<float>(Within(kWeightLimit, weight));
}

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // One step: the gradient of weight index[i] is slope * value[i]. Where two features of a row share a slot,
  // its weight is stepped twice, in their order.
  virtual void Step(std::span<const uint32_t> index, std::span<const double> value, double slope) = 0;
};

// What hangs on an option of Optimizers().
struct OptimizerKind {
  // `weights` is an array of `state`; the optimizer declares its own, as long as that one.
  std::unique_ptr<Optimizer> (*make)(const void* parameters, ModelState& state,
                                     ModelArray<float> weights) = nullptr;
  void (*check)(const void* parameters, Binder& binder) = nullptr;
};

const Family& Optimizers();

// Reports a parameter that is not above 0 (or, with `zero`, below it).
void CheckPositive(const double& parameter, bool zero, Binder& binder);

}  // namespace freshet
