#include "tests/oracle/replay.h"

#include <utility>

namespace oracle {
namespace {

constexpr Seconds kWait = 18 * 3600;
constexpr double kLateMinutes = 15;

// What stays of a departure until its label comes.
struct Kept {
  Seconds time = 0;
  std::string dest;
  Input with_input, without_input;
  Scored with_delay, without_delay, prior, last_label, late_already;
  std::optional<bool> last_answer;
  bool late_answer = false;
};

class Replayer {
 public:
  explicit Replayer(const FtrlOptions& options) : with_delay_(options), without_delay_(options) {}

  void OnDeparture(const Departure& row, const Features& features) {
    Kept kept;
    kept.time = row.time;
    kept.with_input = WithDelayInput(row, features);
    kept.without_input = WithoutDelayInput(row, features);
    kept.with_delay = OfModel(with_delay_.Predict(kept.with_input));
    kept.without_delay = OfModel(without_delay_.Predict(kept.without_input));
    kept.prior = OfModel(prior_.Probability());
    const auto last = last_label_of_dest_.find(row.dest);
    if (last != last_label_of_dest_.end()) kept.last_answer = last->second;
    kept.last_label = last_label_.Predict(kept.last_answer, prior_);
    kept.late_answer = row.dep_delay > kLateMinutes;
    kept.late_already = late_already_.Predict(kept.late_answer, prior_);
    result_.predictions.push_back(
        {row.flight_id, kept.with_delay.probability, kept.without_delay.probability});
    kept.dest = row.dest;
    if (!waiting_.emplace(row.flight_id, std::move(kept)).second) Fail("departed twice: " + row.flight_id);
  }

  void OnArrival(const Arrival& row) {
    const auto found = waiting_.find(row.flight_id);
    if (found == waiting_.end() || row.time > found->second.time + kWait) {
      ++result_.labels_unmatched;
      return;
    }
    const Kept kept = std::move(found->second);
    waiting_.erase(found);
    const bool label = row.arr_delay > kLateMinutes;
    Score(result_.models["with_delay"], kept.with_delay, label);
    Score(result_.models["without_delay"], kept.without_delay, label);
    Score(result_.baselines["prior"], kept.prior, label);
    Score(result_.baselines["last_label"], kept.last_label, label);
    Score(result_.baselines["late_already"], kept.late_already, label);
    result_.months.push_back(MonthOf(row.time));

    with_delay_.Learn(kept.with_input, label);
    without_delay_.Learn(kept.without_input, label);
    prior_.Learn(label);
    last_label_.Learn(kept.last_answer, label);
    late_already_.Learn(kept.late_answer, label);
    last_label_of_dest_[kept.dest] = label;
  }

  Replay Finish() {
    result_.never_labelled = waiting_.size();
    return std::move(result_);
  }

 private:
  static Scored OfModel(double probability) {
    return {.probability = probability, .says_true = probability >= 0.5};
  }
  static void Score(std::vector<Scored>& all, Scored one, bool label) {
    one.label = label;
    all.push_back(one);
  }

  OnlineModel with_delay_, without_delay_;
  Prior prior_;
  AnswerBaseline last_label_, late_already_;
  std::map<std::string, bool> last_label_of_dest_;
  std::unordered_map<std::string, Kept> waiting_;
  Replay result_;
};

}  // namespace

Replay Run(const std::vector<Departure>& departures, const std::vector<Arrival>& arrivals,
           const std::vector<Step>& steps, const std::vector<Features>& features,
           const FtrlOptions& options) {
  Replayer replayer(options);
  auto next = features.begin();
  for (const Step& step : steps) {
    if (step.is_departure) {
      replayer.OnDeparture(departures[step.index], *next++);
    } else {
      replayer.OnArrival(arrivals[step.index]);
    }
  }
  return replayer.Finish();
}

}  // namespace oracle
