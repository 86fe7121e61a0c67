#include "tests/harness/operator_fixture.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "engine/base/hash.h"
#include "engine/base/number.h"
#include "engine/operator/state_key.h"
#include "state/task_store.h"

namespace freshet {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

void AppendCell(const Cell& cell, Type type, ColumnBuilder& to) {
  std::visit(
      Overloaded{
          [&](std::monostate) { to.AppendNull(); },
          [&](bool v) { to.Append(v); },
          [&](int64_t v) { type == Type::kFloat64 ? to.Append(static_cast<double>(v)) : to.Append(v); },
          [&](double v) { to.Append(v); },
          [&](const std::string& v) { to.Append(std::string_view(v)); },
          [&](const std::vector<double>& v) { to.AppendList(std::span<const double>(v)); },
          [&](const std::vector<std::string>& v) {
            const std::vector<std::string_view> items(v.begin(), v.end());
            to.AppendList(std::span<const std::string_view>(items));
          },
      },
      cell);
}

Cell CellAt(const Column& column, size_t row) {
  if (!column.valid(row)) return kNull;
  switch (column.type()) {
    case Type::kBool:
      return column.values<uint8_t>()[row] != 0;
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      return column.values<int64_t>()[row];
    case Type::kFloat64:
      return column.values<double>()[row];
    case Type::kString:
    case Type::kBytes:
      return std::string(column.text(row));
    case Type::kListFloat64: {
      std::vector<double> items;
      for (size_t i = column.list(row).first; i < column.list(row).second; ++i) {
        items.push_back(column.items().values<double>()[i]);
      }
      return items;
    }
    case Type::kListString: {
      std::vector<std::string> items;
      for (size_t i = column.list(row).first; i < column.list(row).second; ++i) {
        items.emplace_back(column.items().text(i));
      }
      return items;
    }
  }
  return kNull;
}

Batch BatchOf(Pool& pool, const Schema& schema, std::span<const FixtureRow> rows,
              std::span<const uint32_t> ordinals) {
  std::vector<ColumnPtr> columns;
  for (size_t c = 0; c < schema.size(); ++c) {
    ColumnBuilder builder(pool, schema[c].type, rows.size());
    for (const FixtureRow& row : rows) {
      EXPECT_EQ(row.cells.size(), schema.size()) << "a row of " << row.cells.size() << " cells";
      AppendCell(row.cells[c], schema[c].type, builder);
    }
    columns.push_back(builder.Finish());
  }
  std::vector<Time> times;
  for (const FixtureRow& row : rows)
    times.push_back(row.time);
  return Batch::Make(pool, columns, times, ordinals);
}

void ExpectOk(const Status& status) {
  EXPECT_TRUE(status.ok()) << status.message();
}

class FixtureBinder final : public Binder {
 public:
  FixtureBinder(Diagnostics& diagnostics, Positions& positions)
      : diagnostics_(diagnostics), positions_(positions) {}

  const std::string& name() const override { return name_; }
  const Schema& input(size_t port) const override { return inputs[port]; }
  std::optional<size_t> Column(size_t port, const FieldRef& field) override {
    const std::optional<size_t> found = inputs[port].Find(field.name);
    if (!found) {
      std::vector<std::string> names;
      for (const Field& f : inputs[port].fields())
        names.push_back(f.name);
      Error(field.position, "no column `" + field.name + "`" + Suggestion(field.name, names));
    }
    return found;
  }
  ExprPtr Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected) override {
    return freshet::Compile(expression, scope, expected, diagnostics_);
  }
  const void* model(const ModelRef& ref) override {
    const auto found = models.find(ref.name);
    if (found != models.end()) return found->second.get();
    Error(ref.position, "no model `" + ref.name + "`");
    return nullptr;
  }
  void RequireKnown(const FieldRef& field) override {
    for (const Schema& schema : inputs) {
      if (schema.Find(field.name)) return;
    }
    Error(field.position, "nothing has `" + field.name + "`");
  }
  std::span<const Origin> lineage(size_t port, size_t column) const override {
    return {&origins[port][column], 1};
  }
  Duration out_of_orderness(size_t port) const override {
    const auto found = disorder.find(port);
    return found == disorder.end() ? 0 : found->second;
  }
  void Error(const void* member, std::string what) override {
    diagnostics_.Error(positions_.Of(member), std::move(what));
  }
  void Error(Position at, std::string what) override { diagnostics_.Error(at, std::move(what)); }
  void Warning(Position at, std::string what) override { diagnostics_.Warning(at, std::move(what)); }

  std::vector<Schema> inputs;
  std::vector<std::vector<Origin>> origins;
  std::map<std::string, std::shared_ptr<void>> models;
  std::map<size_t, Duration> disorder;

 private:
  std::string name_ = "op";
  Diagnostics& diagnostics_;
  Positions& positions_;
};

class PathReport final : public Report {
 public:
  void Number(std::initializer_list<std::string_view> path, double value) override {
    std::string joined;
    for (const std::string_view step : path) {
      if (!joined.empty()) joined += '/';
      joined += step;
    }
    EXPECT_TRUE(numbers.emplace(joined, value).second) << joined << " is reported twice";
  }
  std::map<std::string, double> numbers;
};

struct FixtureTask {
  std::unique_ptr<TaskStore> store;
  std::unique_ptr<TaskTimers> timers;
};

struct DurableModel {
  std::map<std::string, std::string> blocks;
  uint64_t version = 0;
  uint64_t examples = 0;
};

}  // namespace

std::string ToText(const Cell& cell) {
  return std::visit(Overloaded{
                        [](std::monostate) { return std::string("null"); },
                        [](bool v) { return std::string(v ? "true" : "false"); },
                        [](int64_t v) { return std::to_string(v); },
                        [](double v) { return v == v && v - v == 0 ? FormatDouble(v) : std::to_string(v); },
                        [](const std::string& v) { return '"' + v + '"'; },
                        [](const std::vector<double>& v) {
                          std::string text = "[";
                          for (const double item : v)
                            text += FormatDouble(item) + ",";
                          return text + "]";
                        },
                        [](const std::vector<std::string>& v) {
                          std::string text = "[";
                          for (const std::string& item : v)
                            text += '"' + item + "\",";
                          return text + "]";
                        },
                    },
                    cell);
}

std::ostream& operator<<(std::ostream& out, const EmittedRow& row) {
  out << "{port " << row.port << ", time " << row.time << ", row " << row.cause << ":";
  for (const Cell& cell : row.cells)
    out << ' ' << ToText(cell);
  return out << '}';
}

void RunWatermarks(std::span<FixtureRow> rows, size_t ports, Duration out_of_orderness) {
  std::vector<Time> highest(ports, kMinTime);
  for (FixtureRow& row : rows) {
    const Time least = *std::min_element(highest.begin(), highest.end());
    row.watermark = least == kMinTime ? kMinTime : least - out_of_orderness;
    highest[row.port] = std::max(highest[row.port], row.time);
  }
}

Batch MakeBatch(Pool& pool, const Schema& schema, std::span<const FixtureRow> rows) {
  std::vector<uint32_t> ordinals(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    ordinals[i] = static_cast<uint32_t>(i);
  return BatchOf(pool, schema, rows, ordinals);
}

// Context and emitter of the operator. Ordinals are not the rows' numbers in their batch, so that no operator
// can take one for the other.
struct OperatorFixture::Impl final : OperatorContext, Emitter {
  Impl(const Definition& definition, std::string_view body, const Named<Schema>& streams,
       FixtureOptions given)
      : options(std::move(given)), resources(8 << 20, 8 << 20), binder(diagnostics, positions) {
    budget.limit = options.cache_bytes;
    durable.resize(options.shards);
    all_first.resize(1 << 16);
    binder.disorder = options.out_of_orderness;
    ReadContext reading{diagnostics, positions};
    const Node node = ParseYaml(body, diagnostics);
    parameters = definition.shape->make();
    Read(*definition.shape, node, parameters.get(), reading);
    if (!options.models.empty()) ReadModels(reading);
    const std::vector<InputPort> ports = definition.inputs(parameters.get());
    for (const InputPort& port : ports)
      AddInput(port, streams);
    if (!diagnostics.ok()) return;
    for (size_t port = 0; port < ports.size(); ++port) {
      keys.emplace_back();
      for (const FieldRef& field : ports[port].key) {
        if (const std::optional<size_t> column = binder.Column(port, field)) keys[port].push_back(*column);
      }
    }
    plan = definition.bind(parameters.get(), binder);
    if (diagnostics.ok()) CheckPlan();
  }

  void ReadModels(ReadContext& reading) {
    const Node bodies = ParseYaml(options.models, diagnostics);
    for (const auto& [name, body] : bodies.entries) {
      std::shared_ptr<void> model_parameters = options.model_shape->make();
      Read(*options.model_shape, body, model_parameters.get(), reading);
      binder.models.emplace(name.text, std::move(model_parameters));
    }
  }

  void AddInput(const InputPort& port, const Named<Schema>& streams) {
    const auto found = std::find_if(streams.begin(), streams.end(),
                                    [&](const auto& stream) { return stream.first == port.stream.name; });
    if (found == streams.end()) {
      binder.Error(port.stream.position, "no stream `" + port.stream.name + "`");
      return;
    }
    binder.inputs.push_back(found->second);
    binder.origins.emplace_back();
    for (const Field& field : found->second.fields())
      binder.origins.back().push_back({field.name, field.name});
  }

  void CheckPlan() {
    ASSERT_TRUE(plan.make);
    for (const Output& output : plan.outputs) {
      ASSERT_EQ(output.schema.size(), output.derivations.size()) << "output `" << output.name << "`";
      for (const Derivation& derivation : output.derivations) {
        for (const auto* refs : {&derivation.reads, &derivation.current}) {
          for (const ColumnRef& ref : *refs) {
            ASSERT_LT(ref.port, binder.inputs.size());
            ASSERT_LT(ref.column, binder.inputs[ref.port].size());
          }
        }
      }
    }
    for (const ColumnRef& ref : plan.reads) {
      ASSERT_LT(ref.port, binder.inputs.size());
      ASSERT_LT(ref.column, binder.inputs[ref.port].size());
    }
    Start();
  }

  // Fresh stores with the durable rows, and the operator over them.
  void Start() {
    running.reset();
    tables.clear();
    timers_of_shard.clear();
    tasks.clear();
    models.clear();
    budget.used = budget.pinned = 0;
    std::map<std::string, std::vector<RawTable*>> of_shard;
    for (const auto& rows : durable)
      ASSERT_NO_FATAL_FAILURE(OpenTask(rows, of_shard));
    for (const auto& [name, raw] : of_shard)
      tables.try_emplace(name, raw);
    running = plan.make(*this, options.part);
    ASSERT_TRUE(running);
    for (uint32_t shard = 0; shard < options.shards; ++shard)
      ExpectOk(running->Open(shard));
    for (auto& [name, saved] : durable_models) {
      for (const auto& [key, bytes] : saved.blocks)
        ExpectOk(model(name).Apply(key, bytes));
      model(name).SetVersion(saved.version, saved.examples);
    }
  }

  void OpenTask(const std::map<std::string, std::string>& rows,
                std::map<std::string, std::vector<RawTable*>>& of_shard) {
    FixtureTask task;
    auto opened = TaskStore::Open("", resources, budget);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    task.store = std::move(*opened);
    for (const auto& [key, value] : rows)
      ExpectOk(task.store->Apply(key, value));
    if (position > 0) ExpectOk(task.store->EndRestore(position, epoch));
    for (const TableSpec& spec : plan.tables) {
      auto table = task.store->Declare(spec);
      ASSERT_TRUE(table.ok()) << table.status().message();
      of_shard[spec.name].push_back(*table);
    }
    auto timers = TaskTimers::Open(*task.store);
    ASSERT_TRUE(timers.ok()) << timers.status().message();
    task.timers = std::move(*timers);
    timers_of_shard.push_back(task.timers.get());
    tasks.push_back(std::move(task));
  }

  void Process(std::span<const FixtureRow> rows) {
    batch_ordinals.clear();
    watermarks.clear();
    for (size_t i = 0; i < rows.size(); ++i) {
      batch_ordinals.push_back(static_cast<uint32_t>(10 + 3 * i));
      watermarks.push_back(rows[i].watermark);
    }
    const size_t port = rows[0].port;
    ASSERT_LT(port, binder.inputs.size());
    const Batch batch = BatchOf(memory, binder.inputs[port], rows, batch_ordinals);
    shard_of_row.clear();
    for (uint32_t row = 0; row < batch.rows(); ++row)
      shard_of_row.push_back(ShardOfRow(batch, port, row));
    first_row = rows_fed;
    rows_fed += static_cast<int64_t>(rows.size());
    least_ordinals.assign(plan.outputs.size(), 0);
    budget.Trim();
    const Time emits_until = EmitsAtOnceUntil(port);
    const size_t emitted_before = emitted.size();
    ExpectOk(running->Process(port, batch, *this));
    batch_ordinals.clear();
    for (size_t i = emitted_before; i < emitted.size(); ++i) {
      const size_t row = static_cast<size_t>(emitted[i].cause - first_row);
      if (row >= rows.size()) continue;  // reported
      EXPECT_LE(rows[row].time, emits_until)
          << emitted[i] << " goes out in the call of a row at " << rows[row].time << " of input " << port
          << ", though it was said that rows after " << emits_until << " emit nothing at once";
    }
  }
  uint32_t ShardOfRow(const Batch& batch, size_t port, uint32_t row) const {
    std::string key;
    AppendStateKey(batch, keys[port], row, key);
    return static_cast<uint32_t>(Hash64(key) % options.shards);
  }
  // What its plan and the operator say together: rows of the input later than this emit nothing at once.
  Time EmitsAtOnceUntil(size_t port) const {
    const Emission emission = port < plan.emission.size() ? plan.emission[port] : Emission::kAtOnce;
    if (emission == Emission::kNever) return kMinTime;
    return emission == Emission::kSometimes ? running->EmitsAtOnceUntil(port) : kMaxTime;
  }

  // Of all shards.
  std::optional<DueTimer> FirstTimer() {
    std::optional<DueTimer> least;
    for (uint32_t shard = 0; shard < options.shards; ++shard) {
      auto first = timers_of_shard[shard]->First();
      ExpectOk(first.status());
      if (!first.ok() || *first == nullptr || (least && !(**first < *least))) continue;
      least = **first;
      least->shard = shard;
    }
    return least;
  }

  void FireTimers(Time watermark, Emitter& out) {
    in_timer = true;
    for (std::optional<DueTimer> due = FirstTimer(); due && due->time <= watermark; due = FirstTimer()) {
      ExpectOk(timers_of_shard[due->shard]->Pop());
      timer_time = due->time;
      least_ordinals.assign(plan.outputs.size(), 0);
      const size_t emitted_before = emitted.size();
      ExpectOk(running->OnTimer(*due, out));
      EXPECT_TRUE(!plan.timers.empty() || emitted.size() == emitted_before)
          << "emits at a timer, though its plan bounds none";
    }
    in_timer = false;
  }

  // --- Emitter ---
  void Emit(size_t port, Batch rows) override {
    ASSERT_LT(port, plan.outputs.size());
    const Schema& schema = plan.outputs[port].schema;
    ASSERT_EQ(rows.columns(), schema.size());
    for (size_t c = 0; c < schema.size(); ++c) {
      ASSERT_EQ(rows.column(c).type(), schema[c].type) << schema[c].name;
      ASSERT_EQ(rows.column(c).rows(), rows.rows()) << schema[c].name;
    }
    for (size_t i = 0; i < rows.rows(); ++i) {
      const uint32_t ordinal = rows.ordinals()[i];
      EXPECT_GE(ordinal, least_ordinals[port]) << "ordinals must never fall within a call";
      least_ordinals[port] = ordinal;
      EmittedRow row{port, rows.times()[i], CauseOf(ordinal), {}};
      for (size_t c = 0; c < schema.size(); ++c)
        row.cells.push_back(CellAt(rows.column(c), i));
      emitted.push_back(std::move(row));
    }
  }
  int64_t CauseOf(uint32_t ordinal) const {
    if (batch_ordinals.empty()) {
      EXPECT_EQ(ordinal, 0U) << "rows caused by a timer carry ordinal 0";
      return -1;
    }
    const auto found = std::lower_bound(batch_ordinals.begin(), batch_ordinals.end(), ordinal);
    EXPECT_TRUE(found != batch_ordinals.end() && *found == ordinal)
        << "no row of the batch has ordinal " << ordinal;
    return first_row + (found - batch_ordinals.begin());
  }

  // --- OperatorContext ---
  Pool& pool() override { return memory; }
  KeyedTable& TableNamed(std::string_view table) {
    const auto found = tables.find(std::string(table));
    if (found == tables.end()) {
      ADD_FAILURE() << "the plan declares no table `" << table << "`";
      std::abort();
    }
    return found->second;
  }
  KeyedTable& keyed_state(std::string_view table) override { return TableNamed(table); }
  RawTable& raw_state(std::string_view table) override {
    for (const std::vector<size_t>& key : keys)
      EXPECT_TRUE(key.empty()) << "rows come by key: the table `" << table << "` is one of several shards";
    return TableNamed(table).of(0);
  }
  Timers timers() override { return {timers_of_shard, 0}; }
  std::span<const uint32_t> shards() override {
    EXPECT_FALSE(in_timer) << "a timer has one shard";
    return batch_ordinals.empty() ? all_first : shard_of_row;
  }
  ModelState& model(std::string_view name) override {
    auto& state = models[std::string(name)];
    if (!state) state = std::make_unique<ModelState>();
    return *state;
  }
  Counter& counter(std::string_view family) override {
    auto& counter = counters[std::string(family)];
    if (!counter) counter = std::make_unique<Counter>();
    return *counter;
  }
  ExpressionFaults& faults() override { return expression_faults; }
  void DeadLetter(const Batch& batch, size_t row, std::string_view reason, std::string_view detail) override {
    dead_letters.push_back({CauseOf(batch.ordinals()[row]), std::string(reason), std::string(detail)});
  }
  Time WatermarkBefore(uint32_t /*shard*/, uint32_t ordinal) const override {
    if (batch_ordinals.empty()) return timer_time;
    const auto found = std::lower_bound(batch_ordinals.begin(), batch_ordinals.end(), ordinal);
    if (found == batch_ordinals.end() || *found != ordinal) {
      ADD_FAILURE() << "no row of the batch has ordinal " << ordinal;
      return kMinTime;
    }
    return watermarks[static_cast<size_t>(found - batch_ordinals.begin())];
  }
  bool is_read(size_t port, size_t column) const override {
    return !options.is_read || options.is_read(port, column);
  }

  FixtureOptions options;
  Pool memory;
  StoreResources resources;
  CacheBudget budget;
  Diagnostics diagnostics{"job.yaml"};
  Positions positions;
  FixtureBinder binder;
  std::shared_ptr<void> parameters;
  Plan plan;

  std::vector<std::vector<size_t>> keys;  // by port
  std::vector<FixtureTask> tasks;         // by shard
  std::vector<TaskTimers*> timers_of_shard;
  std::map<std::string, KeyedTable> tables;
  std::map<std::string, std::unique_ptr<ModelState>> models;
  std::map<std::string, std::unique_ptr<Counter>> counters;
  ExpressionFaults expression_faults;
  std::unique_ptr<Operator> running;

  std::vector<uint32_t> batch_ordinals;  // empty outside Process
  std::vector<uint32_t> shard_of_row;    // of the batch
  std::vector<uint32_t> all_first;       // zeros, for rows given to op() directly
  bool in_timer = false;
  std::vector<Time> watermarks;
  Time timer_time = kMinTime;
  std::vector<uint32_t> least_ordinals;  // by output
  int64_t first_row = 0;                 // of the batch
  int64_t rows_fed = 0;
  std::vector<EmittedRow> emitted;
  std::vector<DeadLetterRow> dead_letters;

  // As of the last commit.
  std::vector<std::map<std::string, std::string>> durable;  // by shard
  std::map<std::string, DurableModel> durable_models;
  std::map<std::string, uint64_t> durable_counters;
  int64_t position = 0;
  uint64_t epoch = 0;
  int64_t committed_rows = 0;
  size_t committed_emitted = 0;
  size_t committed_dead_letters = 0;
};

OperatorFixture::OperatorFixture(const Definition& definition, std::string_view body,
                                 const Named<Schema>& streams, FixtureOptions options)
    : impl_(std::make_unique<Impl>(definition, body, streams, std::move(options))) {}

OperatorFixture::~OperatorFixture() {
  impl_->running.reset();  // before what its context lends it
}

bool OperatorFixture::ok() const {
  return impl_->diagnostics.ok() && impl_->running != nullptr;
}
std::string OperatorFixture::diagnostics() const {
  return impl_->diagnostics.Text();
}
const Plan& OperatorFixture::plan() const {
  return impl_->plan;
}
const Schema& OperatorFixture::schema(size_t port) const {
  return impl_->plan.outputs[port].schema;
}

void OperatorFixture::Feed(std::span<const FixtureRow> rows, size_t cut) {
  ASSERT_TRUE(ok()) << diagnostics();
  while (!rows.empty()) {
    impl_->FireTimers(rows[0].watermark, *impl_);
    // As a lane does it: only timers that may emit cut a batch.
    const std::optional<DueTimer> timer = impl_->plan.timers.empty() ? std::nullopt : impl_->FirstTimer();
    Time due = timer ? timer->time : kMaxTime;
    size_t size = 0;
    do {
      for (const TimerBound& bound : impl_->plan.timers)
        due = std::min(due, bound.Earliest(rows[size].time));
      ++size;
    } while (size < rows.size() && size < cut && rows[size].port == rows[0].port &&
             rows[size].watermark < due);
    impl_->Process(rows.first(size));
    rows = rows.subspan(size);
  }
}

void OperatorFixture::FireTimers(Time watermark) {
  ASSERT_TRUE(ok()) << diagnostics();
  impl_->FireTimers(watermark, *impl_);
}

void OperatorFixture::FireTimers(Time watermark, Emitter& out) {
  ASSERT_TRUE(ok()) << diagnostics();
  impl_->FireTimers(watermark, out);
}

void OperatorFixture::Commit() {
  Impl& i = *impl_;
  ++i.position;
  ++i.epoch;
  for (size_t shard = 0; shard < i.tasks.size(); ++shard) {
    std::map<std::string, std::string>& rows = i.durable[shard];
    TaskStore& store = *i.tasks[shard].store;
    ExpectOk(store.Collect([&](std::string_view key, std::optional<std::string_view> value) -> Status {
      if (value) {
        rows[std::string(key)] = std::string(*value);
      } else {
        rows.erase(std::string(key));
      }
      return {};
    }));
    store.Committed(i.position, i.epoch);
  }
  for (auto& [name, model] : i.models) {
    DurableModel& saved = i.durable_models[name];
    for (const bool published : {true, false}) {
      ExpectOk(model->Collect(published, [&saved](std::string_view key, std::string_view bytes) -> Status {
        saved.blocks[std::string(key)] = std::string(bytes);
        return {};
      }));
    }
    saved.version = model->version();
    saved.examples = model->examples();
  }
  for (const auto& [family, counter] : i.counters)
    i.durable_counters[family] = counter->value();
  i.committed_rows = i.rows_fed;
  i.committed_emitted = i.emitted.size();
  i.committed_dead_letters = i.dead_letters.size();
}

void OperatorFixture::Restore() {
  Impl& i = *impl_;
  i.emitted.resize(i.committed_emitted);
  i.dead_letters.resize(i.committed_dead_letters);
  i.rows_fed = i.committed_rows;
  i.running.reset();
  i.counters.clear();
  for (const auto& [family, value] : i.durable_counters)
    i.counter(family).Add(value);
  i.Start();
}

void OperatorFixture::GoOnFrom(const OperatorFixture& earlier) {
  impl_->durable = earlier.impl_->durable;
  impl_->durable_models = earlier.impl_->durable_models;
  impl_->position = earlier.impl_->position;
  impl_->epoch = earlier.impl_->epoch;
  Restore();
}

const std::vector<EmittedRow>& OperatorFixture::emitted() const {
  return impl_->emitted;
}
const std::vector<DeadLetterRow>& OperatorFixture::dead_letters() const {
  return impl_->dead_letters;
}

const Cell& OperatorFixture::At(const EmittedRow& row, std::string_view name) const {
  static const Cell none = std::string("no such column");
  const std::optional<size_t> column = schema(row.port).Find(name);
  EXPECT_TRUE(column) << name;
  return column ? row.cells[*column] : none;
}

uint64_t OperatorFixture::counter(const std::string& family) const {
  return impl_->counter(family).value();
}

std::map<std::string, double> OperatorFixture::Summarize() {
  PathReport report;
  ExpectOk(impl_->running->Summarize(report));
  return std::move(report.numbers);
}

ModelState& OperatorFixture::model(const std::string& name) {
  return impl_->model(name);
}
ExpressionFaults& OperatorFixture::faults() {
  return impl_->expression_faults;
}
OperatorFixture::Durable OperatorFixture::durable() const {
  Durable all;
  for (uint32_t shard = 0; shard < impl_->durable.size(); ++shard) {
    for (const auto& [key, value] : impl_->durable[shard])
      all[{shard, key}] = value;
  }
  return all;
}
Pool& OperatorFixture::pool() {
  return impl_->memory;
}
Operator& OperatorFixture::op() {
  return *impl_->running;
}
OperatorContext& OperatorFixture::context() {
  return *impl_;
}

}  // namespace freshet
