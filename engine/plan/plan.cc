#include "engine/plan/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/base/hash.h"
#include "engine/plan/graph.h"
#include "engine/plan/lineage.h"
#include "engine/plan/plan_binder.h"
#include "engine/plan/runnable.h"
#include "engine/plan/sinks.h"
#include "engine/plan/stages.h"
#include "engine/plan/topics.h"

namespace freshet {

const Schema& JobPlan::SchemaOf(StreamId stream) const {
  return stream.source ? sources[stream.node].schema
                       : operators[stream.node].plan.outputs[stream.port].schema;
}

std::string JobPlan::NameOf(StreamId stream) const {
  if (stream.source) return sources[stream.node].name;
  const PlannedOperator& op = operators[stream.node];
  const std::string& side = op.plan.outputs[stream.port].name;
  return side.empty() ? op.name : op.name + "." + side;
}

namespace {

TimeUnit UnitOf(Unit unit) {
  switch (unit) {
    case Unit::kS:
      return TimeUnit::kSeconds;
    case Unit::kMs:
      return TimeUnit::kMilliseconds;
    case Unit::kUs:
      return TimeUnit::kMicroseconds;
    case Unit::kNs:
      return TimeUnit::kNanoseconds;
  }
  return TimeUnit::kMilliseconds;
}

InputField InputOf(const std::string& name, const SourceField& field, bool is_needed) {
  InputField input;
  input.name = name;
  input.type = field.type.type;
  input.unit = UnitOf(field.unit);
  input.required = field.required || is_needed;
  input.values = field.values;
  for (size_t begin = 0; !field.path.empty() && begin <= field.path.size();) {
    const size_t end = std::min(field.path.find('.', begin), field.path.size());
    input.path.push_back(field.path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (input.path.empty()) input.path.push_back(name);
  return input;
}

// The closed set of a field's values; none where it cannot be told.
std::vector<std::string> ValuesOf(const SourceField& field, const Positions& positions) {
  const bool lost = std::any_of(field.values.begin(), field.values.end(),
                                [&](const std::string& value) { return positions.Lost(&value); });
  return lost ? std::vector<std::string>() : field.values;
}

void PlanSources(JobPlan& plan, Diagnostics& diagnostics) {
  for (const auto& [name, spec] : plan.job.frame.sources) {
    PlannedSource source;
    source.name = name;
    source.topic = spec.topic;
    source.format = FormatOf(spec.format, plan.job.positions, diagnostics);
    source.max_out_of_orderness = spec.event_time.max_out_of_orderness;
    source.idle_after = spec.event_time.idle_after;
    std::vector<Field> fields;
    for (const auto& [field, type] : spec.fields)
      fields.push_back({field, type.type.type, ValuesOf(type, plan.job.positions), type.type.known});
    source.schema = Schema(std::move(fields));
    if (spec.fields.empty()) source.schema.Open();  // reported
    // Checked with the source: where there is none, or no timestamp, no plan comes of this.
    source.event_time = source.schema.Find(spec.event_time.field.name).value_or(0);
    if (spec.partitioned_by) {
      const std::optional<size_t> column = source.schema.Find(spec.partitioned_by->field.name);
      if (column) source.partitioned_by = {*column, spec.partitioned_by->partitioner};
    }
    for (size_t c = 0; c < spec.fields.size(); ++c) {
      // A row without event time has no place in the order of rows, one without a key none in a partition.
      const bool is_needed =
          c == source.event_time || (source.partitioned_by && c == source.partitioned_by->column);
      source.fields.push_back(InputOf(spec.fields[c].first, spec.fields[c].second, is_needed));
    }
    plan.sources.push_back(std::move(source));
  }
}

// Nothing is known of it: what made it could not be read or does not exist.
const Schema& UnknownSchema() {
  static const Schema schema = [] {
    Schema open;
    open.Open();
    return open;
  }();
  return schema;
}

// What binding needs and gathers beside the plan.
struct Models {
  ModelBodies bodies;
  std::set<std::string> bound;  // by an operator
  MissingColumns missing;
};

// Binds the operators in the order of the draft: those behind a faulty one too, by what is known of its rows.
class BindAll {
 public:
  BindAll(const Draft& draft, JobPlan& plan, Models& models, Diagnostics& diagnostics)
      : draft_(draft), plan_(plan), models_(models), diagnostics_(diagnostics) {
    for (const PlannedSource& source : plan.sources) {
      source_lineage_.push_back(source.schema.size() > 0 ? SourceLineage(source.schema, source.event_time)
                                                         : StreamLineage());
    }
  }

  void Run() {
    for (uint32_t o = 0; o < draft_.operators.size(); ++o)
      Bind(o);
    uint32_t place = 0;
    for (PlannedOperator& op : plan_.operators) {
      if (op.keeps_state()) op.place = place++;
    }
  }

 private:
  void Bind(uint32_t index) {
    const DraftOperator& op = draft_.operators[index];
    PlannedOperator planned;
    planned.name = op.name;
    planned.type = op.definition == nullptr ? "" : std::string(op.definition->type);
    std::vector<PlanBinder::Input> inputs;
    for (size_t p = 0; p < op.ports.size(); ++p)
      inputs.push_back(InputOf(op, p, planned));
    if (op.parameters != nullptr) {
      PlanBinder binder(op.name, inputs, models_.bodies, models_.missing, plan_.job.positions, diagnostics_);
      planned.plan = op.definition->bind(op.parameters.get(), binder);
      models_.bound.insert(binder.asked().begin(), binder.asked().end());
      if (!op.readable) planned.plan = {};  // bound for its faults alone
    }
    if (planned.plan.outputs.empty()) planned.plan.outputs.push_back({"", UnknownSchema(), {}});
    RecordLineage(planned, inputs);
    Duration late = 0;
    for (const PlanBinder::Input& input : inputs)
      late = std::max(late, input.out_of_orderness);
    out_of_orderness_.push_back(late);
    plan_.operators.push_back(std::move(planned));
  }

  PlanBinder::Input InputOf(const DraftOperator& op, size_t port, PlannedOperator& planned) {
    const std::optional<StreamId> stream = StreamOf(op, port);
    planned.inputs.push_back(stream.value_or(StreamId{}));
    if (!stream) return {&UnknownSchema(), &unknown_lineage_, 0};
    return {&plan_.SchemaOf(*stream), &LineageOf(*stream), OutOfOrderness(*stream)};
  }

  std::optional<StreamId> StreamOf(const DraftOperator& op, size_t port) {
    if (op.upstream[port] == kUnknownStream) return std::nullopt;  // reported
    if (op.upstream[port] < 0) return StreamId{true, static_cast<uint32_t>(-1 - op.upstream[port]), 0};
    return FindStream(plan_, op.ports[port].stream, diagnostics_);
  }

  const StreamLineage& LineageOf(StreamId id) const {
    return id.source ? source_lineage_[id.node] : lineage_[id.node][id.port];
  }

  Duration OutOfOrderness(StreamId id) const {
    return id.source ? plan_.sources[id.node].max_out_of_orderness : out_of_orderness_[id.node];
  }

  void RecordLineage(const PlannedOperator& planned, const std::vector<PlanBinder::Input>& inputs) {
    std::vector<const StreamLineage*> of_inputs;
    for (const PlanBinder::Input& input : inputs)
      of_inputs.push_back(input.lineage);
    lineage_.emplace_back();
    for (const Output& output : planned.plan.outputs) {
      lineage_.back().push_back(of_inputs.empty() ? StreamLineage() : OutputLineage(output, of_inputs));
    }
  }

  const Draft& draft_;
  JobPlan& plan_;
  Models& models_;
  Diagnostics& diagnostics_;
  const StreamLineage unknown_lineage_;
  std::vector<StreamLineage> source_lineage_;
  std::vector<std::vector<StreamLineage>> lineage_;
  std::vector<Duration> out_of_orderness_;
};

// A body that is no map is there and unusable: null.
Models ReadModels(JobPlan& plan, const Registry& registry, Diagnostics& diagnostics) {
  Models models;
  models.bodies.lost = plan.job.models_lost;
  for (const auto& [name, body] : plan.job.frame.models) {
    std::shared_ptr<void> parameters = registry.model->make();
    ReadContext context{diagnostics, plan.job.positions};
    Read(*registry.model, body, parameters.get(), context);
    const bool readable = !body.broken && body.kind == Node::Kind::kMap;
    models.bodies.by_name[name] = readable ? parameters.get() : nullptr;
    plan.parameters.push_back(std::move(parameters));
    plan.models.push_back({name, OwnTopic(plan.job, OwnUse::kModel, name)});
  }
  return models;
}

// A model that no operator bound is checked over a stream of which nothing is known.
void BindUnasked(const JobPlan& plan, Models& models, const Registry& registry, Diagnostics& diagnostics) {
  const StreamLineage lineage;
  for (const auto& [name, body] : plan.job.frame.models) {
    if (models.bound.contains(name)) continue;
    PlanBinder binder(name, {{&UnknownSchema(), &lineage, 0}}, models.bodies, models.missing,
                      plan.job.positions, diagnostics);
    registry.bind_model({name, body.position}, binder);
  }
}

// Of all fields and columns that are known; `all`: there are no others.
std::vector<std::string> NamesOf(const JobPlan& plan, bool& all) {
  std::vector<std::string> names;
  all = !plan.job.streams_lost;
  const auto add = [&](const Schema& schema) {
    all = all && !schema.HidesAny();
    for (const Field& field : schema.fields())
      names.push_back(field.name);
  };
  for (const PlannedSource& source : plan.sources)
    add(source.schema);
  for (const PlannedOperator& op : plan.operators) {
    for (const Output& output : op.plan.outputs)
      add(output.schema);
  }
  return names;
}

void CheckTrainers(const JobPlan& plan, const Draft& draft, Diagnostics& diagnostics) {
  std::map<std::string, std::string> trainers;
  for (size_t o = 0; o < plan.operators.size(); ++o) {
    const PlannedOperator& op = plan.operators[o];
    for (const std::string& model : op.plan.trains) {
      const auto [known, added] = trainers.emplace(model, op.name);
      if (!added) {
        diagnostics.Error(draft.operators[o].position, "model `" + model + "` is trained by `" +
                                                           known->second + "` and by `" + op.name +
                                                           "`; each model has one trainer");
      }
    }
  }
}

bool IsRead(const JobPlan& plan, const StreamId& stream) {
  const auto reads = [&](const std::vector<StreamId>& streams) {
    return std::find(streams.begin(), streams.end(), stream) != streams.end();
  };
  return std::any_of(plan.operators.begin(), plan.operators.end(),
                     [&](const PlannedOperator& op) { return reads(op.inputs); }) ||
         std::any_of(plan.sinks.begin(), plan.sinks.end(),
                     [&](const PlannedSink& sink) { return reads(sink.streams); });
}

// One parameter may give several of them, so one that is read is enough.
void WarnOfUnreadSides(const JobPlan& plan, uint32_t op, Position position, Diagnostics& diagnostics) {
  const std::vector<Output>& outputs = plan.operators[op].plan.outputs;
  std::string names;
  for (uint32_t port = 1; port < outputs.size(); ++port) {
    if (IsRead(plan, {false, op, port})) return;
    names += (names.empty() ? "`" : ", `") + plan.operators[op].name + "." + outputs[port].name + "`";
  }
  if (names.empty()) return;
  diagnostics.Warning(position, "nothing reads " + names +
                                    ", so that what goes there is lost; name it in a "
                                    "sink's `from`");
}

void WarnOfUnread(const JobPlan& plan, const Draft& draft, const Models& models, Diagnostics& diagnostics) {
  for (const auto& [name, body] : plan.job.frame.models) {
    if (models.bound.contains(name)) continue;
    diagnostics.Warning(plan.job.positions.Of(&name), "nothing predicts with model `" + name + "`");
  }
  for (uint32_t s = 0; s < plan.sources.size(); ++s) {
    if (IsRead(plan, {true, s, 0})) continue;
    diagnostics.Warning(plan.job.positions.Of(&plan.job.frame.sources[s].second),
                        "nothing reads source `" + plan.sources[s].name + "`");
  }
  for (uint32_t o = 0; o < plan.operators.size(); ++o)
    WarnOfUnreadSides(plan, o, draft.operators[o].position, diagnostics);
}

// Shares of the budget in sixteenths.
MemorySplit Split(int64_t memory) {
  const int64_t part = memory / 16;
  MemorySplit split;
  split.prefetch = 2 * part;
  split.producer = 2 * part;
  split.dirty = 2 * part;
  split.cache = 5 * part;
  split.block_cache = 1 * part;
  split.memtables = 2 * part;
  split.merge = 1 * part;
  split.restore = memory - 15 * part;
  return split;
}

// The sources and operators with state whose rows come by a stream, through those without.
void AddOrigins(const JobPlan& plan, const StreamId& stream, std::set<std::string>& names) {
  if (stream.source || plan.operators[stream.node].keeps_state()) {
    names.insert(plan.NameOf(stream));
    return;
  }
  for (const StreamId& input : plan.operators[stream.node].inputs)
    AddOrigins(plan, input, names);
}

// Of everything that the state of a job depends on: a change of it needs a fresh start.
uint64_t Fingerprint(const JobPlan& plan) {
  std::string text;
  for (const PlannedStage& stage : plan.stages) {
    if (!stage.keeps_state) continue;
    text += "stage " + stage.name + " " + std::to_string(stage.shards);
    if (stage.partitioner != Partitioner::kMurmur2) text += " " + std::string(NameOf(stage.partitioner));
    text += stage.apart ? " apart\n" : "\n";
    for (const Member& member : stage.members) {
      const PlannedOperator& op = plan.operators[member.op];
      if (!op.keeps_state()) continue;
      text += "  " + op.name + " " + op.type + " " + std::to_string(op.place) + "\n";
      for (const TableSpec& table : op.plan.tables) {
        text += "    " + table.name + " " + std::to_string(table.layout) + " " + std::to_string(table.width) +
                "\n";
      }
    }
    for (const Crossing& crossing : stage.crossings) {
      std::set<std::string> origins;
      AddOrigins(plan, crossing.stream, origins);
      text += "  from";
      for (const std::string& origin : origins)
        text += " " + origin;
      text += " by";
      for (const size_t column : plan.operators[crossing.op].keys[crossing.port]) {
        const Field& field = plan.SchemaOf(crossing.stream)[column];
        text += " " + field.name + " " + std::string(NameOf(field.type));
      }
      text += "\n";
    }
  }
  return Hash64(text);
}

}  // namespace

std::unique_ptr<JobPlan> PlanJob(std::string_view yaml, const Registry& registry, const PlanOptions& options,
                                 Diagnostics& diagnostics) {
  Node root = ParseYaml(yaml, diagnostics);
  for (const std::string& assignment : options.overrides)
    ApplyOverride(assignment, root, diagnostics);
  ResolveSecrets(root, diagnostics);
  auto plan = std::make_unique<JobPlan>();
  plan->job = ParseJob(root, diagnostics);
  plan->job.file = diagnostics.file();
  PlanSources(*plan, diagnostics);
  Models models = ReadModels(*plan, registry, diagnostics);
  Draft draft = BuildGraph(plan->job, registry, diagnostics);
  for (const DraftOperator& op : draft.operators)
    plan->parameters.push_back(op.parameters);
  BindAll(draft, *plan, models, diagnostics).Run();
  BindUnasked(*plan, models, registry, diagnostics);
  bool all_known = false;
  const std::vector<std::string> names = NamesOf(*plan, all_known);
  models.missing.Report(names, all_known, diagnostics);
  PlanSinks(*plan, diagnostics);
  CheckTopics(*plan, diagnostics);
  CheckTrainers(*plan, draft, diagnostics);
  if (diagnostics.ok())
    WarnOfUnread(*plan, draft, models, diagnostics);  // a misspelt reader reads what it means to
  if (diagnostics.ok()) CheckRunnable(*plan, diagnostics);
  if (!diagnostics.ok()) return nullptr;
  MarkRead(*plan);
  AssignStages(draft, *plan);
  AssignRoles(draft, *plan);
  AssignConfluences(*plan);
  AssignApart(*plan);
  plan->placement_topic = OwnTopic(plan->job, OwnUse::kPlacement);
  plan->dead_letter_topic = OwnTopic(plan->job, OwnUse::kDeadLetters);
  CheckOwnTopics(*plan, diagnostics);
  if (!diagnostics.ok()) return nullptr;
  plan->memory = Split(plan->job.frame.memory);
  plan->fingerprint = Fingerprint(*plan);
  return plan;
}

}  // namespace freshet
