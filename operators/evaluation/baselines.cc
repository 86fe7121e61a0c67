#include "operators/evaluation/baselines.h"

#include "engine/operator/state_key.h"

namespace freshet {
namespace {

constexpr std::string_view kAll = "all";  // of every label; the keys of series end with a zero and a one

}  // namespace

Baselines::Baseline::Baseline(const EvaluatePlan::Series& of)
    : series(&of), of_answers{{true, of.key + 'f'}, {true, of.key + 't'}} {}

Baselines::Baselines(const EvaluatePlan& plan, RawTable& answers) : answers_(answers), all_(true, kAll) {
  for (const EvaluatePlan::Series& series : plan.series) {
    if (!series.is_model) baselines_.emplace_back(series);
  }
}

void Baselines::Use(const Batch& batch, Pool& pool, ExpressionFaults& faults) {
  answers_.BeginBatch();
  for (Baseline& baseline : baselines_) {
    if (baseline.series->rule != nullptr)
      baseline.rule = baseline.series->rule->Evaluate(pool, batch, faults);
    baseline.key.clear();
    for (const size_t column : baseline.series->last_label)
      baseline.key.push_back(&batch.column(column));
  }
}

// Whether the row has a key.
bool Baselines::BeginKey(size_t row, Baseline& baseline) {
  key_.assign(baseline.series->key);
  key_.push_back('k');
  for (const Column* column : baseline.key) {
    if (!AppendStateField(*column, row, key_)) return false;
  }
  baseline.of_key.Begin(key_);
  return true;
}

Status Baselines::Predict(size_t row, Time prediction_time, std::span<Guess> guesses) {
  Known all;
  if (Status s = answers_.Before(all_, prediction_time, all); !s.ok()) return s;
  const Guess prior{all.Probability(), all.Probability() >= 0.5};
  for (size_t i = 0; i < baselines_.size(); ++i) {
    Baseline& baseline = baselines_[i];
    baseline.answer.reset();
    baseline.has_key = !baseline.key.empty() && BeginKey(row, baseline);
    if (baseline.has_key) {
      if (Status s = answers_.LastBefore(baseline.of_key, prediction_time, baseline.answer); !s.ok())
        return s;
    } else if (baseline.rule && baseline.rule->valid(row)) {
      baseline.answer = baseline.rule->values<uint8_t>()[row] != 0;
    }
    guesses[i] = prior;
    if (!baseline.answer) continue;
    Known of_answer;
    if (Status s = answers_.Before(baseline.of_answers[*baseline.answer ? 1 : 0], prediction_time, of_answer);
        !s.ok())
      return s;
    guesses[i] = {of_answer.Probability(), *baseline.answer};
  }
  return {};
}

Status Baselines::Learn(Time time, bool label, Time horizon) {
  if (Status s = answers_.Add(all_, time, label, horizon); !s.ok()) return s;
  for (Baseline& baseline : baselines_) {
    if (baseline.has_key) {
      if (Status s = answers_.Add(baseline.of_key, time, label, horizon); !s.ok()) return s;
    }
    if (!baseline.answer) continue;
    Answers::History& of_answer = baseline.of_answers[*baseline.answer ? 1 : 0];
    if (Status s = answers_.Add(of_answer, time, label, horizon); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet
