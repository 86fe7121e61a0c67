#include "engine/runtime/reach.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace freshet {

namespace {

Emission EmissionOf(const PlannedOperator& op, uint32_t port) {
  return port < op.plan.emission.size() ? op.plan.emission[port] : Emission::kAtOnce;
}

struct Met {
  std::set<StreamId> streams;
  std::vector<uint32_t> ports;  // of each operator, how many are reached
  std::vector<Reach::Gate> gates;
};

// Operators stand in topological order, so one walk sees every stream before its readers.
Met Walk(const JobPlan& plan, uint32_t source, bool gates_open) {
  Met met;
  met.streams.insert({true, source, 0});
  for (uint32_t o = 0; o < plan.operators.size(); ++o) {
    const PlannedOperator& op = plan.operators[o];
    met.ports.push_back(0);
    bool emits = false;
    for (uint32_t port = 0; port < op.inputs.size(); ++port) {
      if (!met.streams.contains(op.inputs[port])) continue;
      ++met.ports.back();
      const Emission emission = EmissionOf(op, port);
      if (emission == Emission::kSometimes) met.gates.push_back({o, port});
      emits = emits || emission == Emission::kAtOnce || (emission == Emission::kSometimes && gates_open);
    }
    for (uint32_t out = 0; emits && out < op.plan.outputs.size(); ++out)
      met.streams.insert({false, o, out});
  }
  return met;
}

bool Meet(const JobPlan& plan, const Met& met) {
  std::map<std::string, std::set<uint32_t>> predict;
  std::map<std::string, std::set<uint32_t>> learn;
  for (uint32_t o = 0; o < plan.operators.size(); ++o) {
    if (met.ports[o] == 0) continue;
    if (met.ports[o] > 1) return true;
    for (const std::string& model : plan.operators[o].plan.predicts)
      predict[model].insert(o);
    for (const std::string& model : plan.operators[o].plan.trains)
      learn[model].insert(o);
  }
  for (const auto& [model, learners] : learn) {
    const auto predictors = predict.find(model);
    if (predictors == predict.end()) continue;
    // One operator that does both goes row by row itself.
    std::set<uint32_t> all = learners;
    all.insert(predictors->second.begin(), predictors->second.end());
    if (all.size() > 1) return true;
  }
  // Two sinks of one topic: its records would come sink by sink.
  std::map<std::string, int> sinks;
  for (const PlannedSink& sink : plan.sinks) {
    const bool reached = std::any_of(sink.streams.begin(), sink.streams.end(),
                                     [&](const StreamId& stream) { return met.streams.contains(stream); });
    if (reached && ++sinks[sink.topic] > 1) return true;
  }
  return false;
}

}  // namespace

Reach ReachOf(const JobPlan& plan, uint32_t source) {
  Reach reach;
  reach.row_by_row = Meet(plan, Walk(plan, source, false));
  if (reach.row_by_row) return reach;
  Met met = Walk(plan, source, true);
  if (Meet(plan, met)) reach.gates = std::move(met.gates);
  return reach;
}

}  // namespace freshet
