#include "tests/oracle/learner.h"

#include <algorithm>
#include <cmath>

namespace oracle {
namespace {

using Number = std::optional<double>;

Number SignedLog(Number x) {
  if (!x) return {};
  const double size = std::log1p(std::abs(*x));
  return *x > 0 ? size : *x < 0 ? -size : 0.0;
}

Number Over(Number x, double limit) {
  return x ? Number(std::max(*x - limit, 0.0)) : Number();
}

std::vector<std::string> Categories(const Departure& row) {
  return {"carrier=" + row.carrier, "origin=" + row.origin, "dest=" + row.dest, "hour=" + row.sched_hour,
          "carrier=" + row.carrier + ",dest=" + row.dest};
}

double Sigmoid(double score) {
  return 1 / (1 + std::exp(-score));
}

}  // namespace

Input WithDelayInput(const Departure& row, const Features& f) {
  return {.numbers = {{"dep_delay", row.dep_delay},
                      {"late_part", Over(row.dep_delay, 0)},
                      {"over_15", Over(row.dep_delay, 15)},
                      {"over_30", Over(row.dep_delay, 30)},
                      {"log_delay", SignedLog(row.dep_delay)},
                      {"gap", row.dep_delay - f.origin_delay_3h.value_or(0)},
                      {"distance", row.distance},
                      {"origin_flights_1h", f.origin_flights_1h},
                      {"origin_delay_3h", f.origin_delay_3h},
                      {"carrier_delay_1h", f.carrier_delay_1h},
                      {"dest_delay_3h", f.dest_delay_3h},
                      {"log_origin", SignedLog(f.origin_delay_3h)},
                      {"log_carrier", SignedLog(f.carrier_delay_1h)},
                      {"log_dest", SignedLog(f.dest_delay_3h)}},
          .categories = Categories(row)};
}

Input WithoutDelayInput(const Departure& row, const Features& f) {
  return {.numbers = {{"origin_flights_1h", f.origin_flights_1h},
                      {"origin_delay_3h", f.origin_delay_3h},
                      {"carrier_delay_1h", f.carrier_delay_1h},
                      {"dest_delay_3h", f.dest_delay_3h},
                      {"distance", row.distance},
                      {"log_origin", SignedLog(f.origin_delay_3h)},
                      {"log_carrier", SignedLog(f.carrier_delay_1h)},
                      {"log_dest", SignedLog(f.dest_delay_3h)},
                      {"origin_over_15", Over(f.origin_delay_3h, 15)},
                      {"carrier_over_15", Over(f.carrier_delay_1h, 15)},
                      {"dest_over_15", Over(f.dest_delay_3h, 15)}},
          .categories = Categories(row)};
}

double OnlineModel::Predict(const Input& input) const {
  return Sigmoid(Score(Encode(input)));
}

void OnlineModel::Learn(const Input& input, bool label) {
  for (const auto& [name, value] : input.numbers) {
    if (!value) continue;
    Scale& scale = scales_[name];
    scale.count += 1;
    const double before = *value - scale.mean;
    scale.mean += before / scale.count;
    scale.squares += before * (*value - scale.mean);
  }
  const Encoded row = Encode(input);
  const double error = Sigmoid(Score(row)) - (label ? 1 : 0);
  for (const auto& [name, value] : row) {
    Coordinate& c = coordinates_[name];
    const double gradient = error * value;
    const double sigma = (std::sqrt(c.n + gradient * gradient) - std::sqrt(c.n)) / options_.alpha;
    c.z += gradient - sigma * Weight(c);
    c.n += gradient * gradient;
  }
}

// A missing number is 0, the mean after scaling, and a feature of its own. The constant 1 carries the
// intercept.
OnlineModel::Encoded OnlineModel::Encode(const Input& input) const {
  Encoded row = {{"intercept", 1.0}};
  for (const auto& [name, value] : input.numbers) {
    if (!value) {
      row.emplace_back("missing " + name, 1.0);
      continue;
    }
    const auto found = scales_.find(name);
    const double variance = found == scales_.end() ? 0 : found->second.squares / found->second.count;
    row.emplace_back(name, variance > 0 ? (*value - found->second.mean) / std::sqrt(variance) : 0.0);
  }
  for (const std::string& category : input.categories)
    row.emplace_back(category, 1.0);
  return row;
}

double OnlineModel::Weight(const Coordinate& c) const {
  if (std::abs(c.z) <= options_.l1) return 0;
  const double shrunk = c.z > 0 ? c.z - options_.l1 : c.z + options_.l1;
  return -shrunk / ((options_.beta + std::sqrt(c.n)) / options_.alpha + options_.l2);
}

double OnlineModel::Score(const Encoded& row) const {
  double score = 0;
  for (const auto& [name, value] : row) {
    const auto found = coordinates_.find(name);
    if (found != coordinates_.end()) score += Weight(found->second) * value;
  }
  return score;
}

}  // namespace oracle
