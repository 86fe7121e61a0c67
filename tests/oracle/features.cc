#include "tests/oracle/features.h"

#include <algorithm>
#include <deque>
#include <map>

namespace oracle {
namespace {

constexpr Seconds kHour = 3600;
constexpr Seconds kLongestWindow = 3 * kHour;

struct Sample {
  Seconds time = 0;
  double value = 0;
};

// The rows of one key, in the order of rows.
using Samples = std::deque<Sample>;

struct Window {
  double count = 0;
  double sum = 0;
  std::optional<double> Mean() const { return count > 0 ? std::optional<double>(sum / count) : std::nullopt; }
};

Window Scan(const Samples& samples, Seconds t, Seconds length, bool exclude_ties) {
  Window window;
  for (const Sample& sample : samples) {
    if (sample.time <= t - length || sample.time > t) continue;
    if (exclude_ties && sample.time == t) continue;
    window.count += 1;
    window.sum += sample.value;
  }
  return window;
}

// How far back in time a row may stand behind one before it: 0 when the order is by time.
Seconds LargestStepBack(const std::vector<Departure>& departures, const std::vector<Arrival>& arrivals,
                        const std::vector<Step>& steps) {
  Seconds latest = 0;
  Seconds largest = 0;
  for (const Step& step : steps) {
    const Seconds time = step.is_departure ? departures[step.index].time : arrivals[step.index].time;
    latest = std::max(latest, time);
    largest = std::max(largest, latest - time);
  }
  return largest;
}

}  // namespace

std::vector<Features> ComputeFeatures(const std::vector<Departure>& departures,
                                      const std::vector<Arrival>& arrivals, const std::vector<Step>& steps,
                                      const FeatureOptions& options) {
  std::map<std::string, Samples> origins, carriers, dests;
  // Only rows that no later row can see leave; Scan looks at every one of the others.
  const Seconds keep = kLongestWindow + LargestStepBack(departures, arrivals, steps);
  const auto add = [keep](Samples& samples, Seconds time, double value) {
    samples.push_back({time, value});
    while (samples.front().time <= time - keep)
      samples.pop_front();
  };

  std::vector<Features> result;
  for (const Step& step : steps) {
    if (!step.is_departure) {
      const Arrival& row = arrivals[step.index];
      add(dests[row.dest], row.time, row.arr_delay);
      continue;
    }
    const Departure& row = departures[step.index];
    const auto scan = [&](const Samples& samples, Seconds length) {
      return Scan(samples, row.time, length, options.exclude_ties);
    };
    Window flights = scan(origins[row.origin], kHour);
    Window origin = scan(origins[row.origin], 3 * kHour);
    Window carrier = scan(carriers[row.carrier], kHour);
    if (options.include_current) {
      for (Window* window : {&flights, &origin, &carrier}) {
        window->count += 1;
        window->sum += row.dep_delay;
      }
    }
    result.push_back({.origin_flights_1h = flights.count,
                      .origin_delay_3h = origin.Mean(),
                      .carrier_delay_1h = carrier.Mean(),
                      .dest_delay_3h = scan(dests[row.dest], 3 * kHour).Mean()});
    add(origins[row.origin], row.time, row.dep_delay);
    add(carriers[row.carrier], row.time, row.dep_delay);
  }
  return result;
}

}  // namespace oracle
