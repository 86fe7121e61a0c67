#include "operators/learning/model_spec.h"

namespace freshet {
namespace {

template <class T>
T Lookup(const Named<T>& columns, std::string_view column, T otherwise) {
  for (const auto& [name, value] : columns) {
    if (name == column) return value;
  }
  return otherwise;
}

}  // namespace

Missing MissingSpec::For(std::string_view column) const {
  return Lookup(columns, column, policy);
}

Encoding EncodingSpec::For(std::string_view column) const {
  return Lookup(columns, column, policy);
}

const ShapeBase& MissingSpec::Describe() {
  static const auto shape =
      Shape<MissingSpec>("what a null in a numeric feature counts as")
          .Optional<&MissingSpec::policy>("policy",
                                          "`indicator`: the value is left out, and a feature that says so "
                                          "gets a weight of its own; `mean`: the "
                                          "mean of the values learnt so far; `zero`: the number 0; `error`: "
                                          "the row goes to the dead letters")
          .Optional<&MissingSpec::columns>("columns", "other policies for single features, by name")
          .Short("policy");
  return shape;
}

const ShapeBase& EncodingSpec::Describe() {
  static const auto shape =
      Shape<EncodingSpec>("how a categorical feature finds its weight")
          .Optional<&EncodingSpec::policy>(
              "policy",
              "`hashed`: by the hash of its value, among 2^bits weights shared with others; `exact`: a "
              "weight for each "
              "of the values its source declares, one for any other; either way null has a weight of its own")
          .Optional<&EncodingSpec::columns>("columns", "other encodings for single features, by name")
          .Short("policy");
  return shape;
}

const ShapeBase& FeaturesSpec::Describe() {
  static const auto shape =
      Shape<FeaturesSpec>("what a model sees of a row")
          .Optional<&FeaturesSpec::numeric>(
              "numeric", "columns that are numbers: int64, float64, bool (0 or 1), duration (in seconds)")
          .Optional<&FeaturesSpec::categorical>(
              "categorical", "columns whose every value gets a weight: string, int64, bool")
          .Optional<&FeaturesSpec::crosses>(
              "crosses", "lists of categorical columns: every combination of values gets a weight")
          .Optional<&FeaturesSpec::missing>("missing", "what a null in a numeric feature counts as")
          .Optional<&FeaturesSpec::encoding>("encoding", "how categorical features find their weights")
          .Optional<&FeaturesSpec::bits>("bits", "hashed values share 2^bits weights, 1 to 26");
  return shape;
}

const ShapeBase& ClassWeight::Describe() {
  static const auto shape =
      Shape<ClassWeight>("how much an example counts, by its label")
          .Optional<&ClassWeight::positive>("positive", "of an example whose label is true; others count 1");
  return shape;
}

const ShapeBase& ModelSpec::Describe() {
  static const auto shape =
      Shape<ModelSpec>("a model that `predict` reads and `train` learns")
          .Optional<&ModelSpec::learner>("learner", "the kind of model")
          .Optional<&ModelSpec::optimizer>("optimizer", "how its weights follow the gradients")
          .Required<&ModelSpec::features>("features", "what it sees of a row")
          .Optional<&ModelSpec::scaling>(
              "scaling",
              "`standard`: numeric features less their mean, over their standard deviation, "
              "both learnt as the examples come; or `none`")
          .Optional<&ModelSpec::microbatch>(
              "microbatch",
              "how many examples make a new version, 1 to 65536; cut by count, never by "
              "time")
          .Optional<&ModelSpec::update>(
              "update",
              "within a microbatch, `sequential`: one step an example, the same weights as "
              "with microbatch 1; `mean_gradient`: one step by the mean gradient")
          .Optional<&ModelSpec::class_weight>("class_weight",
                                              "how much an example counts, by its label (logistic loss)")
          .Optional<&ModelSpec::forbid>("forbid",
                                        "fields and columns no feature may be, or derive from in its own "
                                        "row: what is not known yet when "
                                        "the prediction is due");
  return shape;
}

const ShapeBase& ModelShape() {
  return ModelSpec::Describe();
}

}  // namespace freshet
