#include "engine/runtime/task.h"

#include <utility>

namespace freshet {

Task::Task(uint32_t stage, uint32_t shard, std::unique_ptr<TaskStore> store)
    : stage_(stage), shard_(shard), store_(std::move(store)) {}

Result<std::unique_ptr<Task>> Task::Open(const JobPlan& plan, uint32_t stage, uint32_t shard,
                                         std::unique_ptr<TaskStore> store) {
  std::unique_ptr<Task> task(new Task(stage, shard, std::move(store)));
  if (Status s = task->DeclareTables(plan); !s.ok()) return s;
  return task;
}

Status Task::DeclareTables(const JobPlan& plan) {
  for (const Member& member : plan.stages[stage_].members) {
    const PlannedOperator& op = plan.operators[member.op];
    std::vector<RawTable*>& tables = tables_.emplace_back();
    for (TableSpec spec : op.plan.tables) {
      spec.name = op.name + "." + spec.name;
      Result<RawTable*> table = store_->Declare(spec);
      if (!table.ok()) return table.status();
      tables.push_back(*table);
    }
  }
  if (store_ == nullptr) return {};
  Result<std::unique_ptr<TaskTimers>> timers = TaskTimers::Open(*store_);
  if (!timers.ok()) return timers.status();
  timers_ = std::move(*timers);
  return {};
}

Result<const DueTimer*> Task::FirstTimer() {
  if (timers_ == nullptr) return static_cast<const DueTimer*>(nullptr);
  return timers_->First();
}

Result<DueTimer> Task::TakeFirstTimer() {
  DueTimer timer;
  if (Status s = timers_->Pop(&timer); !s.ok()) return s;
  timer.shard = shard_;
  return timer;
}

}  // namespace freshet
