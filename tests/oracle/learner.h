// A logistic model over named features, learnt online by FTRL-Proximal on inputs scaled as they come, and the
// inputs that jobs/flight-delays gives its two models.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/oracle/features.h"
#include "tests/oracle/rows.h"

namespace oracle {

// What a model sees of one row, before scaling. Every row of a model has the same numbers in the same order.
struct Input {
  std::vector<std::pair<std::string, std::optional<double>>> numbers;
  std::vector<std::string> categories;  // "carrier=UA", crosses "carrier=UA,dest=IAH"
};

Input WithDelayInput(const Departure& row, const Features& features);
Input WithoutDelayInput(const Departure& row, const Features& features);

// H. B. McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
struct FtrlOptions {
  double alpha = 0.1, beta = 1, l1 = 0, l2 = 0;
};

class OnlineModel {
 public:
  explicit OnlineModel(const FtrlOptions& options) : options_(options) {}

  // The probability that the label is true, by the weights and the scaler as they are.
  double Predict(const Input& input) const;

  // The scaler learns the row, then the weights learn it as that scaler scales it.
  void Learn(const Input& input, bool label);

 private:
  struct Scale {  // B. P. Welford, Technometrics 4(3), 1962
    double count = 0, mean = 0, squares = 0;
  };
  struct Coordinate {
    double z = 0, n = 0;
  };
  using Encoded = std::vector<std::pair<std::string, double>>;

  Encoded Encode(const Input& input) const;
  double Weight(const Coordinate& coordinate) const;
  double Score(const Encoded& row) const;

  FtrlOptions options_;
  std::unordered_map<std::string, Scale> scales_;
  std::unordered_map<std::string, Coordinate> coordinates_;
};

}  // namespace oracle
