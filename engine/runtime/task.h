#pragma once
// One task: what a stage keeps for one shard, its tables and timers. The unit of state, of recovery and of
// placement; the operators that use it are those of its lane (stage_operators.h). One thread, the lane's.
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/plan/plan.h"
#include "state/task_store.h"
#include "state/timers.h"

namespace freshet {

class Task {
 public:
  // `store`: null where the stage keeps no state.
  static Result<std::unique_ptr<Task>> Open(const JobPlan& plan, uint32_t stage, uint32_t shard,
                                            std::unique_ptr<TaskStore> store);

  // The first timer, or null.
  Result<const DueTimer*> FirstTimer();
  // Takes the first timer. REQUIRES: there is one.
  Result<DueTimer> TakeFirstTimer();

  uint32_t stage() const { return stage_; }
  uint32_t shard() const { return shard_; }
  TaskStore* store() { return store_.get(); }
  TaskTimers* timers() { return timers_.get(); }  // null without a store
  // Those that the stage's member declared, in its plan's order.
  const std::vector<RawTable*>& tables(uint32_t member) const { return tables_[member]; }

 private:
  Task(uint32_t stage, uint32_t shard, std::unique_ptr<TaskStore> store);
  Status DeclareTables(const JobPlan& plan);

  uint32_t stage_;
  uint32_t shard_;
  std::unique_ptr<TaskStore> store_;
  std::unique_ptr<TaskTimers> timers_;
  std::vector<std::vector<RawTable*>> tables_;  // by member
};

}  // namespace freshet
