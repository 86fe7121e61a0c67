// A generalised linear model: score = sum of weight times value, over the entries of a row in their order.
#include <algorithm>
#include <vector>

#include "engine/spec/shape.h"
#include "operators/learning/learner.h"
#include "operators/learning/optimizer.h"

namespace freshet {
namespace {

struct LinearSpec {
  ChoiceOf<&Losses> loss{"logistic"};
  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<LinearSpec>("one weight a feature")
            .Optional<&LinearSpec::loss>("loss", "what is minimised, and so what is predicted");
    return shape;
  }
};

class Linear final : public Learner {
 public:
  Linear(const LinearSpec& spec, const LearnerSetting& setting)
      : loss_(LossOf(spec.loss)),
        state_(setting.state),
        weights_(setting.state.Declare<float>("weights", setting.slots, true)),
        mean_gradient_(setting.mean_gradient) {
    const auto& kind = *static_cast<const OptimizerKind*>(setting.optimizer.option->implementation);
    optimizer_ = kind.make(setting.optimizer.parameters.get(), state_, weights_);
  }

  void Predict(const Examples& rows, std::span<double> scores) const override {
    for (size_t row = 0; row < rows.rows(); ++row)
      scores[row] = Score(rows, row);
  }

  void Learn(const Examples& rows, std::span<const double> label, std::span<const double> weight) override {
    if (mean_gradient_) {
      LearnMean(rows, label, weight);
      return;
    }
    for (size_t row = 0; row < rows.rows(); ++row) {
      const size_t first = rows.begin[row];
      const size_t count = rows.begin[row + 1] - first;
      const double slope = weight[row] * loss_.slope(Score(rows, row), label[row]);
      optimizer_->Step(rows.index.subspan(first, count), rows.value.subspan(first, count), slope);
    }
  }

  void Explain(const Examples& rows, size_t row, std::span<double> contributions) const override {
    const std::span<const float> weights = state_.Read(weights_);
    for (size_t i = rows.begin[row], k = 0; i < rows.begin[row + 1]; ++i, ++k)
      contributions[k] = static_cast<double>(weights[rows.index[i]]) * rows.value[i];
  }

 private:
  struct Part {
    uint32_t index;
    uint32_t order;
    double gradient;
  };

  double Score(const Examples& rows, size_t row) const {
    const std::span<const float> weights = state_.Read(weights_);
    const uint32_t* index = rows.index.data();
    const double* value = rows.value.data();
    double score = 0;
    for (size_t i = rows.begin[row], end = rows.begin[row + 1]; i < end; ++i)
      score += static_cast<double>(weights[index[i]]) * value[i];
    return score;
  }

  // One step by the mean of the rows' gradients, all from the weights before it; sums in the order of rows.
  void LearnMean(const Examples& rows, std::span<const double> label, std::span<const double> weight) {
    parts_.clear();
    for (size_t row = 0; row < rows.rows(); ++row) {
      const double slope = weight[row] * loss_.slope(Score(rows, row), label[row]);
      for (size_t i = rows.begin[row]; i < rows.begin[row + 1]; ++i) {
        parts_.push_back({rows.index[i], static_cast<uint32_t>(i), LimitGradient(slope * rows.value[i])});
      }
    }
    std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
      return a.index != b.index ? a.index < b.index : a.order < b.order;
    });
    indices_.clear();
    sums_.clear();
    for (const Part& part : parts_) {
      if (indices_.empty() || indices_.back() != part.index) {
        indices_.push_back(part.index);
        sums_.push_back(0);
      }
      sums_.back() += part.gradient;
    }
    optimizer_->Step(indices_, sums_, 1 / static_cast<double>(rows.rows()));
  }

  const Loss& loss_;
  ModelState& state_;
  ModelArray<float> weights_;
  std::unique_ptr<Optimizer> optimizer_;
  bool mean_gradient_;
  std::vector<Part> parts_;  // scratch of LearnMean
  std::vector<uint32_t> indices_;
  std::vector<double> sums_;
};

std::unique_ptr<Learner> Make(const void* parameters, const LearnerSetting& setting) {
  return std::make_unique<Linear>(*static_cast<const LinearSpec*>(parameters), setting);
}

const Choice& LossChoice(const void* parameters) {
  return static_cast<const LinearSpec*>(parameters)->loss;
}

}  // namespace

const Option& linear_learner() {
  static const LearnerKind kind{&Make, &LossChoice};
  static const Option option =
      OptionOf<LinearSpec>("linear", "a linear model: logistic or least-squares regression", &kind);
  return option;
}

}  // namespace freshet
