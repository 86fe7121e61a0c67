#pragma once
// Operators at planning time: how the body of one is read, what it reads and gives, and how to make it. Pure:
// no I/O, no state; run by check, plan, schema, docs and tests. Adding an operator is one file with one
// `Definition`, and one line in operators/list.def.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/expression/expression.h"
#include "engine/operator/operator.h"
#include "engine/spec/shape.h"

namespace freshet {

// In which order rows of equal time reach a confluence.
enum class Role : uint8_t { kTable, kEvent, kLabel };  // read by lookup; events; `labels:` or `over:`

// How an operator wants the rows of an input spread over tasks.
enum class Spread : uint8_t {
  kAny,    // as they come
  kKeyed,  // rows of equal key meet in one task
  kOne,    // all rows meet in one task
};

struct InputPort {
  std::string_view name;  // the key of the job file that names the stream
  StreamRef stream;
  Role role = Role::kEvent;
  Spread spread = Spread::kAny;
  std::vector<FieldRef> key;  // kKeyed
};

struct ColumnRef {
  size_t port = 0;
  size_t column = 0;
};

// What a value of an output column is made from, in the row it stands in.
struct Derivation {
  std::vector<ColumnRef> reads;    // columns needed to compute it, of whatever row
  std::vector<ColumnRef> current;  // of these, the columns of the *current* row: lineage follows them
  bool event_time = false;         // it also says something about the current row's event time
  bool same = false;               // it is the value of `current`, which is one column, as it stands there
  static Derivation Same(size_t port, size_t column) {
    return {{{port, column}}, {{port, column}}, false, true};
  }
};

struct Output {
  std::string name;  // "" for the main one; a side output is read as `operator.name`
  Schema schema;
  std::vector<Derivation> derivations;  // one a column
};

// How soon a row may set a timer that emits: for a row at event time t not before t + after, or, with
// `every`, not before the end of the span of that width that holds t. A lane cuts its batches so that no such
// timer falls due in the middle of one.
struct TimerBound {
  Duration after = 0;
  Duration every = 0;
  Time Earliest(Time t) const { return every > 0 ? FloorTo(t, every) + every : t + after; }
};

// Whether a row of an input makes the operator emit in that very call. Where rows of one source would reach
// an operator by two ports, or a model both where it predicts and where it learns, a lane takes those that
// emit at once one by one, so that cuts never show.
enum class Emission : uint8_t {
  kAtOnce,
  kSometimes,  // Operator::EmitsAtOnceUntil says which rows may
  kNever,      // only other inputs and timers emit
};

// What a task keeps, for whoever plans disks: the values' bytes, to which keys and the store's own add.
struct StateSize {
  int64_t per_key = 0;  // at most, however many rows there are
  int64_t per_row = 0;  // of every row still needed
  Duration kept = 0;    // how long after its event time a row is
};

struct Plan {
  std::vector<Output> outputs;     // main first
  std::vector<StateSize> state;    // what is known of it before any row
  std::vector<TableSpec> tables;   // of each task
  std::vector<ColumnRef> reads;    // columns read whoever reads the outputs (keys, conditions, labels)
  std::vector<Emission> emission;  // by port; beyond its end: kAtOnce
  std::vector<TimerBound> timers;  // of timers that emit rows; clean-up needs none
  Duration earlier = 0;            // so much before its cause's event time an emitted row's may lie, at most
  std::vector<std::string>
      trains;  // models: one one-shard task each, made by `make(context, i)`; empty: one kind
  std::vector<std::string> predicts;  // models read
  std::function<std::unique_ptr<Operator>(OperatorContext& context, size_t part)> make;
};

// A field of a source that a column of the current row derives from, and by which steps ("gap ← dep_delay").
struct Origin {
  std::string field;
  std::string path;
};

// Given to Bind. Reports faults at their place and goes on.
class Binder {
 public:
  virtual const std::string& name() const = 0;  // of the operator
  virtual const Schema& input(size_t port) const = 0;
  // The column `field` names in `port`, or reports it with suggestions. Nothing, unreported, where the
  // schema hides it (Schema::Hides); whoever looks for a column without this asks the schema that itself.
  virtual std::optional<size_t> Column(size_t port, const FieldRef& field) = 0;
  virtual ExprPtr Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected) = 0;
  // The parameters of a model as its own shape read them; null (reported) where there is no such model, or
  // its body is no map.
  virtual const void* model(const ModelRef& model) = 0;
  // The fields and columns of the current row that it is made from, itself among them.
  virtual std::span<const Origin> lineage(size_t port, size_t column) const = 0;
  // Reports a name that no source and no operator of the job has, if it were to protect something.
  virtual void RequireKnown(const FieldRef& field) = 0;
  // How far rows of `port` may come behind: the greatest max_out_of_orderness of the sources upstream.
  virtual Duration out_of_orderness(size_t port) const = 0;
  // Whether that parameter could not be read (reported) and holds its default instead: whatever is wrong
  // because of its value is not to be reported.
  virtual bool lost(const void* /*member*/) const { return false; }
  // At that parameter's place; nothing of a lost one.
  virtual void Error(const void* member, std::string what) = 0;
  virtual void Error(Position at, std::string what) = 0;
  virtual void Warning(Position at, std::string what) = 0;

 protected:
  ~Binder() = default;
};

// Shown in the docs, checked against the schema, run by the conformance test of all operators.
struct Example {
  std::string_view operators;  // the `operators:` map, over the streams below
  // The sources are `events` {id: string, key: string, t: timestamp, x: float64, n: int64, s: string} and
  // `labels` {id: string, key: string, t: timestamp, y: float64}. One line a row: `events {…}` or `labels
  // {…}`.
  std::string_view in;
  std::string_view out;          // the rows of the last operator, one JSON object a line
  std::string_view models = {};  // the `models:` map, where the operators need one
};

struct Definition {
  std::string_view type;
  const ShapeBase* shape = nullptr;
  Example example;
  // Known before any schema: gives the planner its graph.
  std::vector<InputPort> (*inputs)(const void* parameters) = nullptr;
  // Called in topological order, the inputs' schemas known, or in a job with faults as far as they are; also
  // where some parameters could not be read (Binder::lost) and hold their defaults, and then the result is
  // dropped. It is run only if nothing was reported; otherwise the outputs say what is known of the columns:
  // one that should be there and could not be made stands there with its type unknown.
  Plan (*bind)(const void* parameters, Binder& binder) = nullptr;
};

template <class P>
Definition Define(std::string_view type, Example example) {
  return {type, &P::Describe(), example, [](const void* p) { return P::Inputs(*static_cast<const P*>(p)); },
          [](const void* p, Binder& binder) { return P::Bind(*static_cast<const P*>(p), binder); }};
}

// All that the engine knows of operators and models.
struct Registry {
  std::span<const Definition> operators;
  const ShapeBase* model = nullptr;  // of a body under `models:`
  // Reports what is wrong with a model over the binder's input 0.
  void (*bind_model)(const ModelRef& model, Binder& binder) = nullptr;
};

// The schema of input `port` and the derivations of its columns: for operators that pass rows on, and may add
// some.
Output PassOn(const Binder& binder, size_t port);
// The columns of a key, or nothing where one is unknown or of a type that cannot be a key (reported).
std::optional<std::vector<size_t>> KeyColumns(Binder& binder, size_t port, std::span<const FieldRef> fields);

}  // namespace freshet
