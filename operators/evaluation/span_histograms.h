#pragma once
// The probabilities of the spans one series is measured over, kept in memory between steps: what is new in a
// span is added and what left it is taken away, so that a window is not gathered from all its buckets at each
// step. Copies of what the tallies hold, in whole numbers: made from the tallies when first asked for, and
// equal to what they would give at any later moment. At most about 0.6 MiB a span. One thread.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/evaluation/evaluating.h"
#include "operators/evaluation/tallies.h"

namespace freshet {

class SpanHistograms {
 public:
  SpanHistograms(const EvaluatePlan& plan, const EvaluatePlan::Series& series, Tallies& tallies)
      : plan_(&plan), series_(&series), tallies_(&tallies), windows_(plan.windows.size()) {}

  // Each until the next call. All buckets of a window are closed, and `end` never falls.
  Status OfRun(Histogram*& histogram);
  Status OfMonth(Time start, Histogram*& histogram);
  Status OfWindow(size_t window, Time end, Histogram*& histogram);

  // The bucket's tally has joined that of the run, or of the month.
  Status JoinedRun(Time bucket);
  Status JoinedMonth(Time month, Time bucket);
  // A late example was added to that tally.
  void Added(SpanKind kind, Time start, const Scored& example);
  // That tally is about to be erased.
  Status Forget(SpanKind kind, Time start);

 private:
  // The examples of [since, end), where there is anything.
  struct Kept {
    Histogram histogram;
    bool made = false;
    Time since = 0;
    Time end = 0;
  };
  Status Make(SpanKind kind, Time start, Kept& kept);
  Status Apply(Histogram::Change change, SpanKind kind, Time start, Histogram& histogram);
  // Takes away the buckets that begin before `since`.
  Status Leave(Kept& window, Time since);

  const EvaluatePlan* plan_;
  const EvaluatePlan::Series* series_;
  Tallies* tallies_;
  Kept run_, month_;
  std::vector<Kept> windows_;
};

}  // namespace freshet
