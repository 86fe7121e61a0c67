#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "engine/operator/definition.h"
#include "engine/spec/scalar.h"
#include "operators/relational/references.h"

namespace freshet {
namespace {

// Fields that use one another are evaluated in levels: the first over the input, each next over what stands
// then.
struct DerivePlan {
  struct Level {
    std::unique_ptr<const ProgramGroup> fields;  // null: none
    // Of the columns then there (those before, then one a field), which ones stand where from here on;
    // empty: all, as they are.
    std::vector<size_t> projection;
  };
  std::vector<Level> levels;
};

class DeriveOperator final : public Operator {
 public:
  DeriveOperator(std::shared_ptr<const DerivePlan> plan, OperatorContext& context)
      : plan_(std::move(plan)), context_(context) {}

  Status Process(size_t, const Batch& in, Emitter& out) override {
    Batch rows = in;
    for (const DerivePlan::Level& level : plan_->levels) {
      if (level.fields != nullptr) {
        columns_.resize(level.fields->size());
        level.fields->Evaluate(context_.pool(), rows, context_.faults(), columns_);
        rows = rows.With(context_.pool(), columns_);
      }
      if (!level.projection.empty()) rows = rows.Project(context_.pool(), level.projection);
    }
    columns_.clear();
    out.Emit(0, std::move(rows));
    return {};
  }

 private:
  std::shared_ptr<const DerivePlan> plan_;
  OperatorContext& context_;
  std::vector<ColumnPtr> columns_;
};

struct Derive {
  StreamRef from;
  Named<Expr> fields;
  std::vector<FieldRef> keep;
  std::vector<FieldRef> drop;

  static const ShapeBase& Describe();
  static std::vector<InputPort> Inputs(const Derive& p) {
    return {{"from", p.from, Role::kEvent, Spread::kAny, {}}};
  }
  static Plan Bind(const Derive& p, Binder& binder);
};

const ShapeBase& Derive::Describe() {
  static const auto shape =
      Shape<Derive>("adds columns computed from the others, or replaces some")
          .Required<&Derive::from>("from", "the stream read")
          .Optional<&Derive::fields>("fields",
                                     "columns: name: expression; they may use one another, in any order. A "
                                     "field named like a column replaces it, and reads the old one")
          .Optional<&Derive::keep>("keep", "of the input's columns, only these go on; default: all")
          .Optional<&Derive::drop>("drop", "columns of the input that go no further");
  return shape;
}

// Which fields each field uses: every one that a path of its text, or a beginning of the path, names; not
// itself, since a field that reads its own name reads the column it replaces.
std::vector<std::vector<size_t>> Uses(const Named<Expr>& fields) {
  std::vector<std::vector<size_t>> uses(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    for (const std::string_view path : PathsIn(fields[i].second.text)) {
      for (size_t j = 0; j < fields.size(); ++j) {
        const std::string& name = fields[j].first;
        const bool named = path == name || (path.starts_with(name) && path[name.size()] == '.');
        if (named && j != i) uses[i].push_back(j);
      }
    }
  }
  return uses;
}

constexpr size_t kNoLevel = SIZE_MAX;

// The level of each field: one more than the highest it uses; kNoLevel for those in a circle or using one
// that is.
std::vector<size_t> LevelsOf(const std::vector<std::vector<size_t>>& uses) {
  std::vector<size_t> levels(uses.size(), kNoLevel);
  for (size_t level = 0; level < uses.size(); ++level) {
    std::vector<size_t> found;
    for (size_t i = 0; i < uses.size(); ++i) {
      const bool ready =
          std::all_of(uses[i].begin(), uses[i].end(), [&](size_t j) { return levels[j] != kNoLevel; });
      if (levels[i] == kNoLevel && ready) found.push_back(i);
    }
    for (const size_t i : found)
      levels[i] = level;
  }
  return levels;
}

// Reports the circles: each field that uses, over others, itself.
void ReportCircles(const Derive& p, const std::vector<std::vector<size_t>>& uses,
                   const std::vector<size_t>& levels, Binder& binder) {
  for (size_t start = 0; start < uses.size(); ++start) {
    if (levels[start] != kNoLevel) continue;
    std::set<size_t> reached;
    std::vector<size_t> open = uses[start];
    while (!open.empty()) {
      const size_t at = open.back();
      open.pop_back();
      if (reached.insert(at).second) open.insert(open.end(), uses[at].begin(), uses[at].end());
    }
    if (!reached.contains(start)) continue;
    std::string others;
    for (const size_t i : reached) {
      if (i != start && levels[i] == kNoLevel)
        others += (others.empty() ? "`" : ", `") + p.fields[i].first + "`";
    }
    binder.Error(p.fields[start].second.position, "`" + p.fields[start].first +
                                                      "` is computed from itself, through " + others +
                                                      "; give the new column a name of its own");
  }
}

Derivation DerivationOf(const Program& program, const std::vector<Derivation>& scope) {
  Derivation result;
  const auto add = [](const std::vector<ColumnRef>& from, std::vector<ColumnRef>& to) {
    for (const ColumnRef& ref : from) {
      const auto same = [&](const ColumnRef& r) { return r.port == ref.port && r.column == ref.column; };
      if (std::none_of(to.begin(), to.end(), same)) to.push_back(ref);
    }
  };
  for (const size_t column : program.reads()) {
    add(scope[column].reads, result.reads);
    add(scope[column].current, result.current);
    result.event_time = result.event_time || scope[column].event_time;
  }
  return result;
}

// The columns that stand after the levels bound so far.
struct Standing {
  Schema schema;
  std::vector<Derivation> derivations;
  void Replace(std::vector<Field> columns) {
    const bool open = schema.open();
    schema = Schema(std::move(columns));
    if (open) schema.Open();
  }
};

// Puts the fields that have no level where they will stand, as columns of which nothing is known.
void HideCircles(const Named<Expr>& fields, const std::vector<size_t>& levels, Standing& standing) {
  std::vector<Field> columns = standing.schema.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (levels[i] != kNoLevel) continue;
    const Field hidden{fields[i].first, Type::kFloat64, {}, false};
    if (const std::optional<size_t> old = standing.schema.Find(hidden.name)) {
      columns[*old] = hidden;
    } else {
      columns.push_back(hidden);
    }
  }
  standing.derivations.resize(columns.size());
  standing.Replace(std::move(columns));
}

// Compiles the fields of one level over `standing` and puts them there, with their type unknown where one
// could not be compiled; then the result is false.
bool BindLevel(const Named<Expr>& fields, const std::vector<size_t>& which, Binder& binder,
               Standing& standing, DerivePlan::Level& level) {
  bool ok = true;
  std::vector<Field> columns = standing.schema.fields();
  std::vector<Derivation> derivations = standing.derivations;
  std::vector<size_t> projection(columns.size());
  std::iota(projection.begin(), projection.end(), size_t{0});
  bool replaced = false;
  std::vector<ExprPtr> programs;
  for (const size_t i : which) {
    const auto& [name, expression] = fields[i];
    const ExprPtr program = binder.Compile(expression, standing.schema, std::nullopt);
    ok = ok && program != nullptr;
    const size_t made = standing.schema.size() + programs.size();
    programs.push_back(program);
    Field field{name, program == nullptr ? Type::kFloat64 : program->type(), {}, program != nullptr};
    Derivation derivation;
    if (program != nullptr) derivation = DerivationOf(*program, standing.derivations);
    if (const std::optional<size_t> old = standing.schema.Find(name)) {
      replaced = true;
      projection[*old] = made;
      columns[*old] = std::move(field);
      derivations[*old] = std::move(derivation);
    } else {
      projection.push_back(made);
      columns.push_back(std::move(field));
      derivations.push_back(std::move(derivation));
    }
  }
  if (ok) level.fields = Together(programs);
  if (replaced) level.projection = std::move(projection);
  standing.Replace(std::move(columns));
  standing.derivations = std::move(derivations);
  return ok;
}

// The output's columns, as numbers of standing ones: those of the input that are kept, then new ones in file
// order.
std::vector<size_t> Choose(const Derive& p, Binder& binder, const Standing& standing) {
  std::set<size_t> keep;
  for (const FieldRef& field : p.keep) {
    if (const std::optional<size_t> column = binder.Column(0, field)) keep.insert(*column);
  }
  for (const FieldRef& field : p.drop) {
    binder.Column(0, field);  // reports one that is not there
  }
  if (!p.keep.empty() && !p.drop.empty()) binder.Error(&p.drop, "give either `keep` or `drop`, not both");
  std::vector<size_t> chosen;
  for (size_t column = 0; column < binder.input(0).size(); ++column) {
    const std::string& name = binder.input(0)[column].name;
    const bool replaced =
        std::any_of(p.fields.begin(), p.fields.end(), [&](const auto& f) { return f.first == name; });
    const bool dropped =
        std::any_of(p.drop.begin(), p.drop.end(), [&](const FieldRef& field) { return field.name == name; });
    if (replaced || ((p.keep.empty() || keep.contains(column)) && !dropped)) chosen.push_back(column);
  }
  for (const auto& [name, expression] : p.fields) {
    const std::optional<size_t> column = standing.schema.Find(name);
    if (column && *column >= binder.input(0).size()) chosen.push_back(*column);
  }
  return chosen;
}

Plan Derive::Bind(const Derive& p, Binder& binder) {
  Plan result;
  Output input = PassOn(binder, 0);
  Standing standing{std::move(input.schema), std::move(input.derivations)};
  const bool lost = binder.lost(&p.fields) || binder.lost(&p.keep) || binder.lost(&p.drop);
  if (p.fields.empty() && p.keep.empty() && p.drop.empty() && !lost) {
    binder.Error(&p.from, "give `fields`, `keep` or `drop`: this operator changes nothing");
  }
  for (const auto& [name, expression] : p.fields) {
    if (IsColumnName(name)) continue;
    binder.Error(&name, QuoteText(name) + " cannot be a column's name; use letters, digits and `_`");
  }
  const std::vector<std::vector<size_t>> uses = Uses(p.fields);
  const std::vector<size_t> levels = LevelsOf(uses);
  ReportCircles(p, uses, levels, binder);
  auto plan = std::make_shared<DerivePlan>();
  bool ok = std::find(levels.begin(), levels.end(), kNoLevel) == levels.end();
  if (!ok) HideCircles(p.fields, levels, standing);
  for (size_t level = 0; level < p.fields.size(); ++level) {
    std::vector<size_t> which;
    for (size_t i = 0; i < levels.size(); ++i) {
      if (levels[i] == level) which.push_back(i);
    }
    if (which.empty()) break;
    plan->levels.emplace_back();
    ok = BindLevel(p.fields, which, binder, standing, plan->levels.back()) && ok;
  }

  const std::vector<size_t> chosen = Choose(p, binder, standing);
  Output output;
  bool same = chosen.size() == standing.schema.size();
  for (size_t i = 0; i < chosen.size(); ++i) {
    same = same && chosen[i] == i;
    output.schema.Add(standing.schema[chosen[i]]);
    output.derivations.push_back(standing.derivations[chosen[i]]);
  }
  if (!same) {
    plan->levels.emplace_back();
    plan->levels.back().projection = chosen;
  }
  for (const FieldRef& field :
       p.keep) {  // one that is missing was reported: its readers are right to read it
    if (!output.schema.Find(field.name)) output.schema.Add({field.name, Type::kFloat64, {}, false});
  }
  output.derivations.resize(output.schema.size());
  if (standing.schema.open() && p.keep.empty()) output.schema.Open();
  result.outputs.push_back(std::move(output));
  if (!ok) return result;
  result.make = [plan = std::shared_ptr<const DerivePlan>(plan)](OperatorContext& context, size_t) {
    return std::make_unique<DeriveOperator>(plan, context);
  };
  return result;
}

constexpr Example kExample{
    .operators = R"yaml(inputs:
  type: derive
  from: events
  drop: [s]
  fields:
    x: "coalesce(x, 0)"
    above: "max(twice - 2, 0)"
    twice: "2 * x"
)yaml",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "s": "gone"}
events {"id": "b", "key": "k", "t": "2024-01-01T00:00:01Z"}
)",
    .out = R"({"id":"a","key":"k","t":"2024-01-01T00:00:00Z","x":1.5,"above":1,"twice":3}
{"id":"b","key":"k","t":"2024-01-01T00:00:01Z","x":0,"above":0,"twice":0}
)",
};

}  // namespace

const Definition& derive_definition() {
  static const Definition definition = Define<Derive>("derive", kExample);
  return definition;
}

}  // namespace freshet
