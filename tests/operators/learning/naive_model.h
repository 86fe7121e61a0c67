#pragma once
// The formulas of models again, by the plainest means: maps by name, one row after the other. It shares no
// code with operators/learning. Like there, weights are floats; all else is double, summed in the order of a
// row's features, so that the two agree to about 1e-12 (a float would have to lie within an ulp of double
// from a rounding boundary to differ).
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace freshet {

struct NaiveOptions {
  std::string optimizer = "ftrl";  // ftrl, adagrad, sgd
  double alpha = 0.1, beta = 1, l1 = 0, l2 = 0, power = 0;
  bool logistic = true;
  std::string missing = "indicator";  // indicator, mean, zero
  bool scale = true;
  size_t microbatch = 1;
  bool mean_gradient = false;
  double positive_weight = 1;
};

struct NaiveRow {
  std::vector<std::pair<std::string, std::optional<double>>> numbers;
  std::vector<std::string> categories;  // "carrier=UA"
  double label = 0;
};

class NaiveModel {
 public:
  explicit NaiveModel(NaiveOptions options) : options_(std::move(options)) {}
  double Score(const NaiveRow& row) const { return Score(Encode(row)); }
  void Learn(const NaiveRow& row);
  int version() const { return version_; }
  float weight(const std::string& name) const;

 private:
  using Entries = std::vector<std::pair<std::string, double>>;
  Entries Encode(const NaiveRow& row) const;
  double Score(const Entries& entries) const;
  void LearnBatch();
  void Step(const Entries& gradients);

  NaiveOptions options_;
  std::map<std::string, double> count_, mean_, squares_;  // Welford
  std::map<std::string, float> weights_;
  std::map<std::string, double> z_, n_;
  double steps_ = 0;
  int version_ = 0;
  std::vector<NaiveRow> waiting_;
};

}  // namespace freshet
