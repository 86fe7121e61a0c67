#include "tests/operators/learning/naive_model.h"

#include <cmath>

namespace freshet {
namespace {

template <class T>
T At(const std::map<std::string, T>& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? T() : found->second;
}

}  // namespace

float NaiveModel::weight(const std::string& name) const {
  return At(weights_, name);
}

NaiveModel::Entries NaiveModel::Encode(const NaiveRow& row) const {
  Entries entries = {{"intercept", 1.0}};
  for (const auto& [name, given] : row.numbers) {
    std::optional<double> number = given;
    if (!number && options_.missing == "zero") number = 0;
    if (!number && options_.missing == "indicator") {
      entries.emplace_back(name + " missing", 1.0);
      continue;
    }
    if (!number) number = At(mean_, name);
    if (options_.scale) {
      const double count = At(count_, name);
      const double variance = count == 0 ? 0 : At(squares_, name) / count;
      number = variance > 0 ? (*number - At(mean_, name)) / std::sqrt(variance) : 0;
    }
    entries.emplace_back(name, *number);
  }
  for (const std::string& category : row.categories)
    entries.emplace_back(category, 1.0);
  return entries;
}

double NaiveModel::Score(const Entries& entries) const {
  double score = 0;
  for (const auto& [name, value] : entries)
    score += static_cast<double>(At(weights_, name)) * value;
  return score;
}

void NaiveModel::Learn(const NaiveRow& row) {
  waiting_.push_back(row);
  if (waiting_.size() == options_.microbatch) LearnBatch();
}

void NaiveModel::LearnBatch() {
  Entries mean;
  for (const NaiveRow& row : waiting_) {
    for (const auto& [name, given] : row.numbers) {
      if (!given && options_.missing != "zero") continue;
      const double value = given.value_or(0);
      count_[name] += 1;
      const double before = value - mean_[name];
      mean_[name] += before / count_[name];
      squares_[name] += before * (value - mean_[name]);
    }
    const Entries entries = Encode(row);
    const double score = Score(entries);
    const double predicted = options_.logistic ? 1 / (1 + std::exp(-score)) : score;
    double slope = predicted - row.label;
    if (row.label == 1) slope *= options_.positive_weight;
    Entries gradients;
    for (const auto& [name, value] : entries)
      gradients.emplace_back(name, slope * value);
    if (!options_.mean_gradient) {
      Step(gradients);
      continue;
    }
    for (const auto& gradient : gradients)
      mean.push_back(gradient);
  }
  if (options_.mean_gradient) {
    std::map<std::string, double> sums;
    for (const auto& [name, gradient] : mean)
      sums[name] += gradient;
    mean.clear();
    for (const auto& [name, sum] : sums)
      mean.emplace_back(name, sum / static_cast<double>(waiting_.size()));
    Step(mean);
  }
  waiting_.clear();
  ++version_;
}

void NaiveModel::Step(const Entries& gradients) {
  steps_ += 1;
  const NaiveOptions& o = options_;
  for (const auto& [name, loss_gradient] : gradients) {
    float& weight = weights_[name];
    const double w = static_cast<double>(weight);
    double g = loss_gradient;
    if (o.optimizer == "ftrl") {
      const double sigma = (std::sqrt(n_[name] + g * g) - std::sqrt(n_[name])) / o.alpha;
      z_[name] += g - sigma * w;
      n_[name] += g * g;
      const double z = z_[name];
      const double next = std::abs(z) <= o.l1 ? 0
                                              : -(z - (z > 0 ? o.l1 : -o.l1)) /
                                                    ((o.beta + std::sqrt(n_[name])) / o.alpha + o.l2);
      weight = static_cast<float>(next);
      continue;
    }
    g += o.l2 * w;
    if (o.optimizer == "adagrad") {
      n_[name] += g * g;
      weight = static_cast<float>(w - o.alpha * g / (std::sqrt(n_[name]) + 1e-8));
    } else {
      weight = static_cast<float>(w - o.alpha / std::pow(steps_, o.power) * g);
    }
  }
}

}  // namespace freshet
