#include "engine/runtime/task.h"

#include <algorithm>
#include <utility>

namespace freshet {

// Hands an operator's rows to its neighbours in the stage at once, and what leaves the stage to the lane.
class Task::Port final : public Emitter {
 public:
  Port(Task& task, uint32_t member) : task_(task), member_(member) {}
  void Emit(size_t port, Batch rows) override;

 private:
  Task& task_;
  uint32_t member_;
};

class Task::Context final : public TaskContext {
 public:
  Context(Task& task, uint32_t member)
      : task_(task), op_(task.topology_.plan.operators[task.stage_plan().members[member].op]) {}

  Pool& pool() override { return task_.services_.pool; }
  RawTable& raw_state(std::string_view table) override { return *tables_.find(table)->second; }
  Timers timers() override { return {*task_.timers_, op_.place}; }
  ModelState& model(std::string_view name) override { return *task_.services_.models.find(name)->second; }
  Counter& counter(std::string_view family) override {
    return task_.services_.counters[std::string(family) + "{operator=\"" + op_.name + "\"}"];
  }
  ExpressionFaults& faults() override { return faults_; }
  void DeadLetter(const Batch& batch, size_t row, std::string_view reason, std::string_view detail) override {
    const Schema& schema = task_.topology_.plan.SchemaOf(op_.inputs[port_]);
    task_.services_.refuse({&schema, &batch, row, op_.name, reason, detail});
  }
  Time WatermarkBefore(uint32_t ordinal) const override {
    return task_.services_.clock.WatermarkBefore(task_.stage_, ordinal);
  }
  bool is_read(size_t port, size_t column) const override { return op_.read[port][column]; }

  void AddTable(const std::string& name, RawTable* table) { tables_[name] = table; }
  void set_port(size_t port) { port_ = port; }
  // To be called after each call of the operator.
  void CountFaults() {
    if ((faults_.division_by_zero | faults_.overflow | faults_.bad_conversion) == 0) return;
    counter("division_by_zero").Add(faults_.division_by_zero);
    counter("overflow").Add(faults_.overflow);
    counter("bad_conversion").Add(faults_.bad_conversion);
    faults_ = {};
  }

 private:
  Task& task_;
  const PlannedOperator& op_;
  ExpressionFaults faults_;  // of the call in work
  std::map<std::string, RawTable*, std::less<>> tables_;
  size_t port_ = 0;
};

struct Task::Instance {
  Instance(Task& task, uint32_t member) : context(task, member), out(task, member) {}
  Context context;
  Port out;
  std::unique_ptr<Operator> op;
  Counter* rows_out = nullptr;
};

void Task::Port::Emit(size_t port, Batch rows) {
  if (rows.empty()) return;
  const Topology::OutputPort& output = task_.topology_.stages[task_.stage_].outputs[member_][port];
  task_.instances_[member_]->rows_out->Add(rows.rows());
  for (const Topology::Inside& edge : output.inside) {
    if (Status s = task_.Process(edge.member, edge.port, rows); !s.ok() && task_.failure_.ok())
      task_.failure_ = s;
  }
  if (output.leaves) task_.services_.outbox.Push(output.stream, std::move(rows));
}

Task::Task(const Topology& topology, uint32_t stage, uint32_t shard, std::unique_ptr<TaskStore> store,
           TaskServices services)
    : topology_(topology),
      stage_(stage),
      shard_(shard),
      store_(std::move(store)),
      services_(std::move(services)) {}

Task::~Task() = default;

const PlannedStage& Task::stage_plan() const {
  return topology_.plan.stages[stage_];
}

Result<std::unique_ptr<Task>> Task::Open(const Topology& topology, uint32_t stage, uint32_t shard,
                                         std::unique_ptr<TaskStore> store, TaskServices services) {
  std::unique_ptr<Task> task(new Task(topology, stage, shard, std::move(store), std::move(services)));
  if (Status s = task->DeclareTables(); !s.ok()) return s;
  return task;
}

Status Task::DeclareTables() {
  const JobPlan& plan = topology_.plan;
  for (uint32_t m = 0; m < stage_plan().members.size(); ++m) {
    instances_.push_back(std::make_unique<Instance>(*this, m));
    const PlannedOperator& op = plan.operators[stage_plan().members[m].op];
    for (const TableSpec& declared : op.plan.tables) {
      TableSpec spec = declared;
      spec.name = op.name + "." + declared.name;
      Result<RawTable*> table = store_->Declare(spec);
      if (!table.ok()) return table.status();
      instances_.back()->context.AddTable(declared.name, *table);
    }
  }
  if (store_ == nullptr) return {};
  Result<std::unique_ptr<TaskTimers>> timers = TaskTimers::Open(*store_);
  if (!timers.ok()) return timers.status();
  timers_ = std::move(*timers);
  return {};
}

Status Task::Start() {
  for (uint32_t m = 0; m < instances_.size(); ++m) {
    const Member& member = stage_plan().members[m];
    const PlannedOperator& op = topology_.plan.operators[member.op];
    Instance& instance = *instances_[m];
    instance.rows_out = &services_.counters["rows_out{operator=\"" + op.name + "\"}"];
    instance.op = op.plan.make(instance.context, member.part);
    if (instance.op == nullptr) return Internal("operator `" + op.name + "` could not be made");
    if (Status s = instance.op->Open(); !s.ok()) return s;
  }
  return {};
}

Status Task::Process(uint32_t member, uint32_t port, const Batch& rows) {
  Instance& instance = *instances_[member];
  instance.context.set_port(port);
  Status status = instance.op->Process(port, rows, instance.out);
  instance.context.CountFaults();
  if (status.ok()) status = std::exchange(failure_, Status());
  return status;
}

Result<const DueTimer*> Task::FirstTimer() {
  if (timers_ == nullptr) return static_cast<const DueTimer*>(nullptr);
  return timers_->First();
}

Status Task::FireFirst() {
  Result<const DueTimer*> first = timers_->First();
  if (!first.ok()) return first.status();
  const DueTimer timer = **first;
  if (Status s = timers_->Pop(); !s.ok()) return s;
  for (uint32_t m = 0; m < instances_.size(); ++m) {
    const PlannedOperator& op = topology_.plan.operators[stage_plan().members[m].op];
    if (op.place != timer.place) continue;
    Instance& instance = *instances_[m];
    const uint64_t emitted = instance.rows_out->value();
    Status status = instance.op->OnTimer(timer, instance.out);
    instance.context.CountFaults();
    if (status.ok()) status = std::exchange(failure_, Status());
    if (status.ok() && op.plan.timers.empty() && instance.rows_out->value() != emitted)
      return Internal("operator `" + op.name + "` emits at a timer, but its plan bounds none");
    return status;
  }
  return {Code::kConflict, "the state of stage `" + stage_plan().name +
                               "` holds a timer of an operator that the job "
                               "file no longer has; give the changed job another name or prefix"};
}

Time Task::EmitsAtOnceUntil(uint32_t member, uint32_t port) const {
  return instances_[member]->op->EmitsAtOnceUntil(port);
}

Status Task::Summarize(Report& report) {
  for (const std::unique_ptr<Instance>& instance : instances_) {
    if (Status s = instance->op->Summarize(report); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet
