#include "operators/learning/model.h"

#include <utility>

namespace freshet {
namespace {

std::unique_ptr<Learner> MakeLearner(const ModelLayout& layout, ModelState& state) {
  const ModelSpec& spec = *layout.spec;
  const auto& kind = *static_cast<const LearnerKind*>(spec.learner.option->implementation);
  return kind.make(spec.learner.parameters.get(),
                   {state, layout.slots, spec.optimizer, spec.update == Update::kMeanGradient});
}

}  // namespace

Model::Model(std::shared_ptr<const ModelLayout> layout, ModelState& state)
    : layout_(std::move(layout)),
      state_(state),
      fingerprint_(state.Declare<uint64_t>("layout", 1, true)),
      scaler_(*layout_, state),
      encoder_(*layout_),
      learner_(MakeLearner(*layout_, state)) {}

Status Model::Check() const {
  if (state_.version() == 0 || state_.Read(fingerprint_)[0] == layout_->fingerprint) return {};
  return {Code::kConflict,
          "the saved model `" + layout_->model +
              "` was learnt with other features or settings than the job file gives it; give the "
              "changed model a new name, or the job another name or prefix"};
}

void Model::Predict(const RawRows& rows, std::span<double> scores) {
  const std::span<const Scaler::Scale> scales = scaler_.Scales();
  encoder_.Clear();
  for (size_t row = 0; row < rows.rows(); ++row)
    encoder_.Add(rows[row], scales);
  learner_->Predict(encoder_.examples(), scores);
}

double Model::Predict(const RawRow& row) {
  encoder_.Clear();
  encoder_.Add(row, scaler_.Scales());
  double score = 0;
  learner_->Predict(encoder_.examples(), {&score, 1});
  return score;
}

void Model::Explain(size_t row, std::span<double> contributions) const {
  learner_->Explain(encoder_.examples(), row, contributions);
}

void Model::Learn(std::span<const RawRow> rows, std::span<const double> labels) {
  if (state_.version() == 0) {
    const auto fingerprint = state_.Write(fingerprint_);
    fingerprint.Touch(0);
    fingerprint[0] = layout_->fingerprint;
  }
  const auto& class_weight = layout_->spec->class_weight;
  encoder_.Clear();
  weights_.assign(rows.size(), 1);
  scaler_.BeginMicrobatch();
  for (size_t row = 0; row < rows.size(); ++row) {
    encoder_.Add(rows[row], scaler_.Learn(rows[row]));
    if (class_weight && labels[row] > 0.5) weights_[row] = class_weight->positive;
  }
  learner_->Learn(encoder_.examples(), labels, weights_);
  state_.Advance(rows.size());
  scaler_.EndMicrobatch();
}

}  // namespace freshet
