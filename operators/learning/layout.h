#pragma once
// Which columns of a stream a model sees and which slot each of its features has, worked out when the job is
// planned. The same for whoever predicts and whoever trains, whatever else their streams carry. Immutable;
// any thread.
//
// Slots: 0 the intercept; the numeric features; their indicators of missing values; for each categorical
// feature one for null, and where it is exact one for each value and one for any other; then 2^bits for all
// that is hashed. So numbers never share a slot with anything.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/data/type.h"
#include "engine/operator/definition.h"
#include "operators/learning/model_spec.h"

namespace freshet {

struct NumericFeature {
  std::string name;
  size_t column = 0;
  Type type = Type::kFloat64;
  Missing missing = Missing::kIndicator;
  uint32_t indicator = 0;  // slot; kIndicator only
};

// A column whose values are hashed, once a row, for all features made from it.
struct CategoryColumn {
  std::string name;
  size_t column = 0;
  Type type = Type::kString;
  uint64_t seed = 0;  // from the name, so that equal values of two columns differ
};

struct CategoricalFeature {
  size_t category = 0;  // index into categories
  uint32_t null_slot = 0;
  bool exact = false;
  uint32_t first = 0;                                    // exact: slot of the first value
  std::vector<std::pair<std::string, uint32_t>> values;  // exact strings: value and slot, sorted by value
  uint32_t unknown = 0;                                  // exact: slot
};

struct CrossFeature {
  std::vector<size_t> categories;  // in the order of the file
  uint64_t seed = 0;
};

struct ModelLayout {
  static constexpr uint32_t kFirstNumber = 1;  // slot of numeric[0]; that of the next is one more
  std::string model;
  const ModelSpec* spec = nullptr;  // lives as long as the plan
  const Loss* loss = nullptr;
  std::vector<NumericFeature> numeric;
  std::vector<CategoryColumn> categories;
  std::vector<CategoricalFeature> categorical;
  std::vector<CrossFeature> crosses;
  uint32_t hashed_first = 0;
  uint32_t bits = 0;  // 0: nothing is hashed
  size_t slots = 0;
  uint64_t fingerprint = 0;  // of all that gives the saved arrays their meaning
  bool scales = true;
  bool learns_means = true;  // the scaler is needed, for scaling or for means

  size_t entries() const { return 1 + numeric.size() + categorical.size() + crosses.size(); }  // of a row
  std::vector<size_t> Columns() const;  // ascending, each once
};

// Resolves the model over input `port`; reports its faults, forbidden features too, at their places in the
// model. Null where there was one.
std::shared_ptr<const ModelLayout> BindModel(const ModelRef& model, size_t port, Binder& binder);

// The same for a model that nobody predicts with or trains: only its faults are of interest.
void CheckModel(const ModelRef& model, Binder& binder);

// Columns that a prediction of the model adds, `<model>.version` and so on, with what they derive from.
void AddPrediction(const ModelLayout& layout, size_t port, Output& output, bool shadow = false);
// The same columns for a model that could not be bound, for faults that were reported.
void AddUnknownPrediction(const std::string& model, Output& output);
constexpr size_t kPredictionColumns = 3;  // version, score, probability or value

}  // namespace freshet
