#pragma once
// `evaluate` at run time: it sees every example, in one task. One thread.
//
// Time is cut into buckets at the multiples of `every`, and at the beginnings of months where months are
// asked for. A bucket is open until the watermark reaches its end: its examples gather in a log (ExampleLog)
// and, many at a time, in the tally of each series. Then it is closed: its tallies join those of the run and
// the month, and metric rows go out. An example later than that joins them at once.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/operator/definition.h"
#include "operators/evaluation/metrics.h"

namespace freshet {

struct EvaluatePlan {
  struct Series {
    std::string name;
    bool is_model = true;
    std::string key;         // of its state: order-preserving bytes, no beginning of another's
    size_t probability = 0;  // models: the column
    // Baselines: the column of the key, or the rule; neither: `prior`.
    std::vector<size_t> last_label;
    ExprPtr rule;
  };
  std::vector<Series> series;  // models first
  std::vector<Metric> metrics;
  ExprPtr label;
  std::optional<size_t> prediction_time;  // the column; absent: the row's own time
  Duration every = 0;
  std::vector<Duration> windows;
  std::vector<std::string> window_names;
  bool months = false;
  Duration longest_delay = 0;

  Duration longest_window() const {
    Duration longest = 0;
    for (const Duration window : windows)
      longest = window > longest ? window : longest;
    return longest;
  }
  // Of the bucket that holds `time`.
  Time BucketStart(Time time) const {
    const Time start = FloorTo(time, every);
    return months && StartOfMonth(time) > start ? StartOfMonth(time) : start;
  }
  Time BucketEnd(Time time) const {
    const Time end = FloorTo(time, every) + every;
    return months && MonthEnd(time) < end ? MonthEnd(time) : end;
  }
  static Time MonthEnd(Time time) { return StartOfMonth(StartOfMonth(time) + 32 * kDay); }
  bool wants(Metric metric) const {
    for (const Metric wanted : metrics) {
      if (wanted == metric) return true;
    }
    return false;
  }
  bool has_baselines() const { return !series.empty() && !series.back().is_model; }
};

std::vector<TableSpec> EvaluateTables(uint32_t layout);
std::unique_ptr<Operator> MakeEvaluating(std::shared_ptr<const EvaluatePlan> plan, OperatorContext& context);

}  // namespace freshet
