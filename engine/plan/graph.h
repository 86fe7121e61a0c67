#pragma once
// The job's graph while it is being planned: operators with their parameters, ports and streams resolved, in
// an order in which every stream comes before its readers. Internal to engine/plan; one thread.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan/plan.h"

namespace freshet {

// As an upstream: a stream of which nothing is known, for a fault that was reported.
constexpr int kUnknownStream = INT32_MIN;

struct DraftOperator {
  std::string name;
  Position position;
  const Definition* definition = nullptr;
  std::shared_ptr<void> parameters;
  std::vector<InputPort> ports;
  std::vector<std::string> side_wanted;  // by port: "late" of `x.late`; "" for a main output
  std::vector<int> upstream;  // by port: index of an earlier draft, -1 - index of a source, kUnknownStream
  uint32_t shards = 0;        // 0: the job's
  bool readable = true;       // false: not all its parameters are what was written; null ones: none is
};

struct Draft {
  std::vector<DraftOperator> operators;  // in the order of the plan
};

// Reads the bodies of operators, resolves their inputs and sorts them. Reports everything wrong.
Draft BuildGraph(Job& job, const Registry& registry, Diagnostics& diagnostics);

// "name" or "name.side", split at the first dot.
std::pair<std::string, std::string> SplitStream(const std::string& reference);
std::vector<std::string> StreamNames(const Job& job);

}  // namespace freshet
