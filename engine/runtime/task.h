#pragma once
// One task: the operators of a stage on one shard, with their tables and timers. One thread, the lane's.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/metrics/counter.h"
#include "engine/operator/operator.h"
#include "engine/runtime/row_clock.h"
#include "engine/runtime/topology.h"
#include "state/task_store.h"

namespace freshet {

// Where rows go that leave their stage.
class Outbox {
 public:
  virtual void Push(uint32_t stream, Batch rows) = 0;

 protected:
  ~Outbox() = default;
};

// A row that an operator refused.
struct RefusedRow {
  const Schema* schema = nullptr;
  const Batch* batch = nullptr;
  size_t row = 0;
  std::string_view op;
  std::string_view reason;
  std::string_view detail;
};

// What a lane lends its tasks; outlives them.
struct TaskServices {
  Pool& pool;
  const RowClock& clock;
  Outbox& outbox;
  std::map<std::string, std::unique_ptr<ModelState>, std::less<>>& models;
  std::map<std::string, Counter, std::less<>>& counters;  // by `family{operator="…"}`
  std::function<void(const RefusedRow&)> refuse;
};

class Task {
 public:
  // `store`: null where the stage keeps no state.
  static Result<std::unique_ptr<Task>> Open(const Topology& topology, uint32_t stage, uint32_t shard,
                                            std::unique_ptr<TaskStore> store, TaskServices services);
  ~Task();

  // Makes and opens the operators; call once, after the store was restored.
  Status Start();
  Status Process(uint32_t member, uint32_t port, const Batch& rows);
  // The first timer, or null.
  Result<const DueTimer*> FirstTimer();
  Status FireFirst();
  Status Summarize(Report& report);
  Time EmitsAtOnceUntil(uint32_t member, uint32_t port) const;

  uint32_t stage() const { return stage_; }
  uint32_t shard() const { return shard_; }
  TaskStore* store() { return store_.get(); }

 private:
  class Context;
  class Port;
  struct Instance;
  Task(const Topology& topology, uint32_t stage, uint32_t shard, std::unique_ptr<TaskStore> store,
       TaskServices services);
  Status DeclareTables();
  const PlannedStage& stage_plan() const;

  const Topology& topology_;
  uint32_t stage_;
  uint32_t shard_;
  std::unique_ptr<TaskStore> store_;
  TaskServices services_;
  std::unique_ptr<TaskTimers> timers_;
  std::vector<std::unique_ptr<Instance>> instances_;
  Status failure_;  // of an operator called from another's Emit
};

}  // namespace freshet
