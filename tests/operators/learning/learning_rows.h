#pragma once
// Rows for the tests of learning, the stream they come in, and how a test looks into a model. One thread.
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "operators/learning/model_spec.h"
#include "tests/harness/operator_fixture.h"
#include "tests/operators/learning/naive_model.h"

namespace freshet {

const Definition& predict_definition();
const Definition& train_definition();

// a: float64, b: int64, c: bool, d: duration, carrier, dest: string, hour: int64, late: bool, delay: float64.
Named<Schema> LearningStreams();

// Rows with nulls everywhere but in the labels; delay and late hang on the rest.
std::vector<FixtureRow> LearningRows(size_t count, uint64_t seed);

// What NaiveModel makes of one, with features numeric [a, b, c, d], categorical [carrier, hour], crosses
// [[carrier, dest]].
NaiveRow NaiveOf(const FixtureRow& row, bool logistic);
inline constexpr std::string_view kAllFeatures =
    "numeric: [a, b, c, d], categorical: [carrier, hour], crosses: [[carrier, dest]]";

// A fixture over LearningStreams.
inline FixtureOptions WithModels(std::string models) {
  FixtureOptions options;
  options.models = std::move(models);
  options.model_shape = &ModelShape();
  return options;
}

// Every number of a model's arrays, by array; `slots` and `numbers` as the model's layout has them, `memory`
// doubles of the optimizer `optimizer`.
struct ModelNumbers {
  std::vector<float> weights;
  std::vector<double> scaler;
  std::vector<double> memory;
  uint64_t version = 0;
  bool operator==(const ModelNumbers& other) const {
    return SameBits(weights, other.weights) && SameBits(scaler, other.scaler) &&
           SameBits(memory, other.memory) && version == other.version;
  }
  template <class T>
  static bool SameBits(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
  }
};
// Of a model with kAllFeatures, missing: indicator, bits `bits` and optimizer ftrl.
ModelNumbers NumbersOf(ModelState& state, uint32_t bits);
inline constexpr size_t kNumbers = 4;
inline constexpr size_t kFirstHashed =
    1 + 2 * kNumbers + 2;  // intercept, values and indicators, nulls of categories
// The weights alone, of any model with `slots` of them.
std::vector<float> WeightsOf(ModelState& state, size_t slots);

// Gives `to` what `from` publishes.
void Publish(ModelState& from, ModelState& to);

}  // namespace freshet
