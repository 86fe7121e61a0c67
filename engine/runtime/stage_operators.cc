#include "engine/runtime/stage_operators.h"

#include <cassert>
#include <utility>

#include "engine/runtime/dead_letters.h"
#include "engine/runtime/row_key.h"

namespace freshet {

// Hands an operator's rows to its neighbours in the stage at once, and what leaves the stage to the lane.
class StageOperators::Port final : public Emitter {
 public:
  Port(StageOperators& stage, uint32_t member) : stage_(stage), member_(member) {}
  void Emit(size_t port, Batch rows) override;

 private:
  StageOperators& stage_;
  uint32_t member_;
};

class StageOperators::Context final : public OperatorContext {
 public:
  Context(StageOperators& stage, uint32_t member, std::span<const std::unique_ptr<Task>> tasks)
      : stage_(stage), op_(stage.topology_.plan.operators[stage.plan().members[member].op]) {
    for (size_t t = 0; t < op_.plan.tables.size(); ++t) {
      std::vector<RawTable*> of_shard;
      for (const std::unique_ptr<Task>& task : tasks)
        of_shard.push_back(task->tables(member)[t]);
      tables_.try_emplace(op_.plan.tables[t].name, of_shard);
    }
  }

  Pool& pool() override { return stage_.services_.pool; }
  KeyedTable& keyed_state(std::string_view table) override { return tables_.find(table)->second; }
  RawTable& raw_state(std::string_view table) override {
    assert(stage_.plan().shards == 1);
    return tables_.find(table)->second.of(0);
  }
  Timers timers() override { return {stage_.timers_, op_.place}; }
  ModelState& model(std::string_view name) override { return *stage_.services_.models.find(name)->second; }
  Counter& counter(std::string_view family) override {
    return stage_.services_.counters[std::string(family) + "{operator=\"" + op_.name + "\"}"];
  }
  ExpressionFaults& faults() override { return faults_; }
  void DeadLetter(const Batch& batch, size_t row, std::string_view reason, std::string_view detail) override {
    assert(rows_ != nullptr);  // a timer has no input row
    const Schema& schema = stage_.topology_.plan.SchemaOf(op_.inputs[port_]);
    stage_.services_.refuse({&schema, &batch, row, op_.name, reason, detail});
  }
  std::span<const uint32_t> shards() override {
    assert(rows_ != nullptr);
    if (shards_.empty())
      shards_ = sharder_.ShardsOf(*rows_, op_.keys[port_], stage_.plan().partitioner, stage_.plan().shards);
    return shards_;
  }
  Time WatermarkBefore(uint32_t shard, uint32_t ordinal) const override {
    return stage_.services_.clock.WatermarkBefore(stage_.topology_.ClockOf(stage_.stage_, shard), ordinal);
  }
  bool is_read(size_t port, size_t column) const override { return op_.read[port][column]; }

  // Of the call to come.
  void Begin(size_t port, const Batch& rows) {
    port_ = port;
    rows_ = &rows;
  }
  // To be called after each call of the operator.
  void End() {
    rows_ = nullptr;
    shards_ = {};
    if ((faults_.division_by_zero | faults_.overflow | faults_.bad_conversion) == 0) return;
    counter("division_by_zero").Add(faults_.division_by_zero);
    counter("overflow").Add(faults_.overflow);
    counter("bad_conversion").Add(faults_.bad_conversion);
    faults_ = {};
  }

 private:
  StageOperators& stage_;
  const PlannedOperator& op_;
  std::map<std::string, KeyedTable, std::less<>> tables_;
  ExpressionFaults faults_;  // of the call in work
  size_t port_ = 0;
  const Batch* rows_ = nullptr;       // null outside Process
  std::span<const uint32_t> shards_;  // of rows_; empty: not asked for yet
  Sharder sharder_;
};

struct StageOperators::Instance {
  Instance(StageOperators& stage, uint32_t member, std::span<const std::unique_ptr<Task>> tasks)
      : context(stage, member, tasks), out(stage, member) {}
  Context context;
  Port out;
  std::unique_ptr<Operator> op;
  Counter* rows_out = nullptr;
};

void StageOperators::Port::Emit(size_t port, Batch rows) {
  if (rows.empty()) return;
  const Topology::OutputPort& output = stage_.topology_.stages[stage_.stage_].outputs[member_][port];
  stage_.instances_[member_]->rows_out->Add(rows.rows());
  for (const Topology::Inside& edge : output.inside) {
    if (Status s = stage_.Process(edge.member, edge.port, rows); !s.ok() && stage_.failure_.ok())
      stage_.failure_ = s;
  }
  if (output.leaves) stage_.services_.outbox.Push(output.stream, std::move(rows));
}

StageOperators::StageOperators(const Topology& topology, uint32_t stage,
                               std::span<const std::unique_ptr<Task>> tasks, OperatorServices services)
    : topology_(topology), stage_(stage), services_(std::move(services)) {
  for (const std::unique_ptr<Task>& task : tasks)
    timers_.push_back(task->timers());
  for (uint32_t m = 0; m < plan().members.size(); ++m)
    instances_.push_back(std::make_unique<Instance>(*this, m, tasks));
}

StageOperators::~StageOperators() = default;

Status StageOperators::Start() {
  for (uint32_t m = 0; m < instances_.size(); ++m) {
    const Member& member = plan().members[m];
    const PlannedOperator& op = topology_.plan.operators[member.op];
    Instance& instance = *instances_[m];
    instance.rows_out = &services_.counters["rows_out{operator=\"" + op.name + "\"}"];
    instance.op = op.plan.make(instance.context, member.part);
    if (instance.op == nullptr) return Internal("operator `" + op.name + "` could not be made");
    for (uint32_t shard = 0; shard < timers_.size(); ++shard) {
      if (Status s = instance.op->Open(shard); !s.ok()) return s;
    }
  }
  return {};
}

// What one operator fails with inside another's Emit comes out of the call that began it all.
Status StageOperators::Settle(Instance& instance, const Status& status) {
  instance.context.End();
  return status.ok() ? std::exchange(failure_, Status()) : status;
}

Status StageOperators::Process(uint32_t member, uint32_t port, const Batch& rows) {
  Instance& instance = *instances_[member];
  instance.context.Begin(port, rows);
  return Settle(instance, instance.op->Process(port, rows, instance.out));
}

Status StageOperators::FireFirst(Task& task) {
  const Result<DueTimer> timer = task.TakeFirstTimer();
  if (!timer.ok()) return timer.status();
  for (uint32_t m = 0; m < instances_.size(); ++m) {
    const PlannedOperator& op = topology_.plan.operators[plan().members[m].op];
    if (op.place != timer->place) continue;
    Instance& instance = *instances_[m];
    const uint64_t emitted = instance.rows_out->value();
    const Status status = Settle(instance, instance.op->OnTimer(*timer, instance.out));
    if (status.ok() && op.plan.timers.empty() && instance.rows_out->value() != emitted)
      return Internal("operator `" + op.name + "` emits at a timer, but its plan bounds none");
    return status;
  }
  return {Code::kConflict, "the state of stage `" + plan().name +
                               "` holds a timer of an operator that the job "
                               "file no longer has; give the changed job another name or prefix"};
}

Time StageOperators::EmitsAtOnceUntil(uint32_t member, uint32_t port) const {
  return instances_[member]->op->EmitsAtOnceUntil(port);
}

Status StageOperators::Summarize(Report& report) {
  for (const std::unique_ptr<Instance>& instance : instances_) {
    if (Status s = instance->op->Summarize(report); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet
