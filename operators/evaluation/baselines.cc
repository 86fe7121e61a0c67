#include "operators/evaluation/baselines.h"

#include "engine/operator/state_key.h"

namespace freshet {
namespace {

constexpr std::string_view kAll = "all";  // of every label; the keys of series end with a zero and a one

}  // namespace

Baselines::Baselines(const EvaluatePlan& plan, RawTable& answers) : answers_(answers) {
  for (const EvaluatePlan::Series& series : plan.series) {
    if (!series.is_model) baselines_.push_back({&series, {}, {}, {}});
  }
}

void Baselines::Use(const Batch& batch, Pool& pool, ExpressionFaults& faults) {
  batch_ = batch;
  for (Baseline& baseline : baselines_) {
    if (baseline.series->rule != nullptr)
      baseline.rule = baseline.series->rule->Evaluate(pool, batch, faults);
  }
}

void Baselines::SetLabelKey(Baseline& baseline, size_t row) const {
  baseline.label_key.assign(baseline.series->key);
  baseline.label_key.push_back('k');
  if (!AppendStateKey(batch_, baseline.series->last_label, row, baseline.label_key))
    baseline.label_key.clear();
}

// Of the history of the labels of rows for which the baseline gave that answer.
std::string_view Baselines::KeyOf(const Baseline& baseline, bool answer, std::string& key) {
  key.assign(baseline.series->key);
  key.push_back(answer ? 't' : 'f');
  return key;
}

Status Baselines::Predict(size_t row, Time prediction_time, std::vector<Guess>& guesses) {
  Known all;
  if (Status s = answers_.Before(kAll, prediction_time, all); !s.ok()) return s;
  const Guess prior{all.Probability(), all.Probability() >= 0.5};
  guesses.clear();
  for (Baseline& baseline : baselines_) {
    baseline.answer.reset();
    if (!baseline.series->last_label.empty()) {
      SetLabelKey(baseline, row);
      Known of_key;
      if (!baseline.label_key.empty()) {
        if (Status s = answers_.Before(baseline.label_key, prediction_time, of_key); !s.ok()) return s;
      }
      baseline.answer = of_key.last;
    } else if (baseline.rule && baseline.rule->valid(row)) {
      baseline.answer = baseline.rule->values<uint8_t>()[row] != 0;
    }
    guesses.push_back(prior);
    if (!baseline.answer) continue;
    Known of_answer;
    const std::string_view key = KeyOf(baseline, *baseline.answer, key_);
    if (Status s = answers_.Before(key, prediction_time, of_answer); !s.ok()) return s;
    guesses.back() = {of_answer.Probability(), *baseline.answer};
  }
  return {};
}

Status Baselines::Learn(Time time, bool label, Time horizon) {
  if (Status s = answers_.Add(kAll, time, label, horizon); !s.ok()) return s;
  for (const Baseline& baseline : baselines_) {
    if (!baseline.label_key.empty()) {
      if (Status s = answers_.Add(baseline.label_key, time, label, horizon); !s.ok()) return s;
    }
    if (!baseline.answer) continue;
    if (Status s = answers_.Add(KeyOf(baseline, *baseline.answer, key_), time, label, horizon); !s.ok())
      return s;
  }
  return {};
}

}  // namespace freshet
