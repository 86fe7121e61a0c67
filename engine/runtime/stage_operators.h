#pragma once
// The operators of a stage, which a lane runs once for all the tasks it has of that stage: a batch goes
// through them whole, whichever shards its rows belong to, and each row's state is in the task of its shard.
// One thread.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/metrics/counter.h"
#include "engine/operator/operator.h"
#include "engine/runtime/row_clock.h"
#include "engine/runtime/task.h"
#include "engine/runtime/topology.h"

namespace freshet {

// Where rows go that leave their stage.
class Outbox {
 public:
  virtual void Push(uint32_t stream, Batch rows) = 0;

 protected:
  ~Outbox() = default;
};

struct RefusedRow;

// What a lane lends its operators; outlives them.
struct OperatorServices {
  Pool& pool;
  const RowClock& clock;
  Outbox& outbox;
  std::map<std::string, std::unique_ptr<ModelState>, std::less<>>& models;
  std::map<std::string, Counter, std::less<>>& counters;  // by `family{operator="…"}`
  std::function<void(const RefusedRow&)> refuse;
};

class StageOperators {
 public:
  // `tasks`: of the stage, by shard. They and `topology` outlive this.
  StageOperators(const Topology& topology, uint32_t stage, std::span<const std::unique_ptr<Task>> tasks,
                 OperatorServices services);
  ~StageOperators();

  // Makes and opens the operators; call once, after the tasks were restored.
  Status Start();
  Status Process(uint32_t member, uint32_t port, const Batch& rows);
  // Fires the first timer of a task of the stage.
  Status FireFirst(Task& task);
  Status Summarize(Report& report);
  Time EmitsAtOnceUntil(uint32_t member, uint32_t port) const;

 private:
  class Context;
  class Port;
  struct Instance;
  const PlannedStage& plan() const { return topology_.plan.stages[stage_]; }
  Status Settle(Instance& instance, const Status& status);

  const Topology& topology_;
  uint32_t stage_;
  OperatorServices services_;
  std::vector<TaskTimers*> timers_;  // by shard
  std::vector<std::unique_ptr<Instance>> instances_;
  Status failure_;  // of an operator called from another's Emit
};

}  // namespace freshet
