#include "engine/plan/stages.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/plan/topics.h"

namespace freshet {

namespace {

constexpr int kNoStage = -1;

// Where the rows of a stream are, and by which of its columns they are spread there.
struct Placed {
  int stage = kNoStage;  // of sources: none
  std::set<uint32_t> sources;
  std::vector<size_t> key;  // empty: by none
  Partitioner partitioner = Partitioner::kMurmur2;
  // By the key they are spread over the shards of this stage, or the partitions of this source.
  int shards_of = kNoStage;
  std::optional<uint32_t> partitions_of;
};

class StageBuilder {
 public:
  StageBuilder(const Draft& draft, JobPlan& plan) : draft_(draft), plan_(plan) {
    for (uint32_t s = 0; s < plan.sources.size(); ++s) {
      Placed& placed = sources_.emplace_back();
      placed.sources = {s};
      const std::optional<PlannedSource::Partitioning>& promised = plan.sources[s].partitioned_by;
      if (!promised) continue;
      placed.key = {promised->column};
      placed.partitioner = promised->partitioner;
      placed.partitions_of = s;
    }
    outputs_.resize(plan.operators.size());
  }

  void Place(uint32_t index) {
    PlannedOperator& op = plan_.operators[index];
    const std::vector<InputPort>& ports = draft_.operators[index].ports;
    for (size_t p = 0; p < ports.size(); ++p)
      op.keys.push_back(Key(op.inputs[p], ports[p]));
    if (!op.plan.trains.empty()) {
      for (uint32_t part = 0; part < op.plan.trains.size(); ++part) {
        Enter(NewStage(op.name + "." + op.plan.trains[part], 1), index, part);
        SetTrainer(op.plan.trains[part], index, part);
      }
      RecordOutputs(index, stage_of_first_part_);
      return;
    }
    int stage = Home(index, ports);
    if (stage == kNoStage) {
      stage = NewStage(op.name, Shards(index, ports));
      const Placed& first = Of(op.inputs[0]);
      if (IsSpreadFor(first, op.keys[0])) StageAt(stage).partitioner = first.partitioner;
    }
    Enter(stage, index, 0);
    RecordOutputs(index, stage);
  }

  // Once all operators are placed: which rows are in their shard already. A topic has one number of
  // partitions: that of the stage with the most shards that could take its rows so.
  void FindInPlace() {
    for (const SpreadCrossing& spread : spread_) {
      if (!spread.partitions_of) continue;
      uint32_t& partitions = plan_.sources[*spread.partitions_of].partitioned_by->partitions;
      partitions = std::max(partitions, plan_.stages[spread.stage].shards);
    }
    for (const SpreadCrossing& spread : spread_) {
      PlannedStage& stage = plan_.stages[spread.stage];
      const uint32_t parts = spread.partitions_of
                                 ? plan_.sources[*spread.partitions_of].partitioned_by->partitions
                                 : StageAt(spread.shards_of).shards;
      stage.crossings[spread.crossing].in_place = parts == stage.shards;
    }
  }

 private:
  const Placed& Of(const StreamId& id) const {
    return id.source ? sources_[id.node] : outputs_[id.node][id.port];
  }

  std::set<uint32_t> SourcesOf(const PlannedOperator& op) const {
    std::set<uint32_t> sources;
    for (const StreamId& input : op.inputs)
      sources.insert(Of(input).sources.begin(), Of(input).sources.end());
    return sources;
  }

  uint32_t Shards(uint32_t index, const std::vector<InputPort>& ports) const {
    const bool keyed = std::any_of(ports.begin(), ports.end(),
                                   [](const InputPort& p) { return p.spread == Spread::kKeyed; });
    if (!keyed) return 1;
    const uint32_t own = draft_.operators[index].shards;
    return own != 0 ? own : static_cast<uint32_t>(plan_.job.frame.shards);
  }

  // The stage the operator can join: that of its first input, where rows are spread already as it needs them
  // (state without a key is one task's), its other inputs come from earlier stages, and all in it have the
  // same sources: so an operator's watermark does not hang on whom it shares a stage with.
  int Home(uint32_t index, const std::vector<InputPort>& ports) const {
    const PlannedOperator& op = plan_.operators[index];
    const Placed& first = Of(op.inputs[0]);
    if (first.stage == kNoStage || ports[0].spread == Spread::kOne) return kNoStage;
    const PlannedStage& stage = plan_.stages[static_cast<size_t>(first.stage)];
    const std::set<uint32_t> sources = SourcesOf(op);
    if (!std::equal(sources.begin(), sources.end(), stage.sources.begin(), stage.sources.end()))
      return kNoStage;
    if (ports[0].spread != Spread::kKeyed && op.keeps_state() && stage.shards > 1) return kNoStage;
    if (ports[0].spread == Spread::kKeyed) {
      if (!IsSpreadFor(first, op.keys[0]) || first.shards_of != first.stage) return kNoStage;
      if (stage.shards != Shards(index, ports)) return kNoStage;
    }
    for (size_t p = 1; p < ports.size(); ++p) {
      const Placed& other = Of(op.inputs[p]);
      if (ports[p].spread != Spread::kKeyed || ports[0].spread != Spread::kKeyed ||
          other.stage >= first.stage) {
        return kNoStage;
      }
    }
    return first.stage;
  }

  std::vector<size_t> Key(const StreamId& stream, const InputPort& port) const {
    std::vector<size_t> columns;
    const Schema& schema = plan_.SchemaOf(stream);
    for (const FieldRef& field : port.key)
      columns.push_back(schema.Find(field.name).value_or(0));
    return columns;
  }

  PlannedStage& StageAt(int index) { return plan_.stages[static_cast<size_t>(index)]; }

  static bool IsSpreadFor(const Placed& rows, const std::vector<size_t>& key) {
    return !key.empty() && rows.key == key;
  }

  int NewStage(const std::string& name, uint32_t shards) {
    PlannedStage stage;
    stage.name = name;
    stage.shards = shards;
    plan_.stages.push_back(std::move(stage));
    return static_cast<int>(plan_.stages.size()) - 1;
  }

  void Enter(int stage_index, uint32_t index, uint32_t part) {
    if (part == 0) stage_of_first_part_ = stage_index;
    PlannedStage& stage = plan_.stages[static_cast<size_t>(stage_index)];
    const PlannedOperator& op = plan_.operators[index];
    const std::vector<InputPort>& ports = draft_.operators[index].ports;
    stage.members.push_back({index, part});
    stage.keeps_state = stage.keeps_state || op.keeps_state();
    for (uint32_t p = 0; p < ports.size(); ++p) {
      const Placed& from = Of(op.inputs[p]);
      if (from.stage == stage_index) continue;
      Crossing crossing;
      crossing.stream = op.inputs[p];
      crossing.spread = ports[p].spread;
      crossing.op = index;
      crossing.part = part;
      crossing.port = p;
      if (IsSpreadFor(from, op.keys[p]) && from.partitioner == stage.partitioner) {
        spread_.push_back(
            {static_cast<size_t>(stage_index), stage.crossings.size(), from.shards_of, from.partitions_of});
      }
      stage.crossings.push_back(crossing);
    }
    const std::set<uint32_t> sources = SourcesOf(op);
    stage.sources.assign(sources.begin(), sources.end());
  }

  // Rows stay spread by a key as long as its columns pass through untouched.
  void RecordOutputs(uint32_t index, int stage) {
    const PlannedOperator& op = plan_.operators[index];
    const std::vector<InputPort>& ports = draft_.operators[index].ports;
    const std::set<uint32_t> sources = SourcesOf(op);
    const Placed& first = Of(op.inputs[0]);
    const bool keyed = ports[0].spread == Spread::kKeyed;
    const bool runs_anywhere = ports.size() == 1 && ports[0].spread == Spread::kAny && !op.keeps_state();
    const bool stays = first.stage == stage || runs_anywhere;
    const std::vector<size_t> in_key = keyed ? op.keys[0] : stays ? first.key : std::vector<size_t>();
    for (const Output& output : op.plan.outputs) {
      Placed placed;
      placed.stage = stage;
      placed.sources = sources;
      placed.partitioner = keyed ? StageAt(stage).partitioner : first.partitioner;
      placed.shards_of = keyed ? stage : first.shards_of;
      if (!keyed) placed.partitions_of = first.partitions_of;
      for (const size_t column : in_key) {
        for (size_t c = 0; c < output.derivations.size(); ++c) {
          const Derivation& derivation = output.derivations[c];
          const bool same = derivation.same && derivation.current[0].port == 0 &&
                            derivation.current[0].column == column &&
                            output.schema[c].name == plan_.SchemaOf(op.inputs[0])[column].name;
          if (same) placed.key.push_back(c);
        }
      }
      if (placed.key.size() != in_key.size()) placed.key.clear();
      outputs_[index].push_back(std::move(placed));
    }
  }

  void SetTrainer(const std::string& name, uint32_t op, uint32_t part) {
    for (PlannedModel& model : plan_.models) {
      if (model.name != name) continue;
      model.trainer = op;
      model.part = part;
    }
  }

  // A crossing whose rows are spread by the stage's key where they come from.
  struct SpreadCrossing {
    size_t stage = 0;
    size_t crossing = 0;
    int shards_of = kNoStage;
    std::optional<uint32_t> partitions_of;
  };

  const Draft& draft_;
  JobPlan& plan_;
  std::vector<Placed> sources_;
  std::vector<std::vector<Placed>> outputs_;  // [operator][port]
  std::vector<SpreadCrossing> spread_;
  int stage_of_first_part_ = kNoStage;
};

// Roles that readers of a stream give it; operators that only pass rows on ask their own readers.
void Vote(const Draft& draft, const JobPlan& plan, StreamId stream, std::set<Role>& votes) {
  for (uint32_t o = 0; o < plan.operators.size(); ++o) {
    const std::vector<InputPort>& ports = draft.operators[o].ports;
    for (size_t p = 0; p < ports.size(); ++p) {
      if (plan.operators[o].inputs[p] != stream) continue;
      const bool passes =
          ports.size() == 1 && ports[p].spread == Spread::kAny && ports[p].role == Role::kEvent;
      if (!passes) {
        votes.insert(ports[p].role);
        continue;
      }
      for (uint32_t port = 0; port < plan.operators[o].plan.outputs.size(); ++port) {
        Vote(draft, plan, {false, o, port}, votes);
      }
    }
  }
}

}  // namespace

// For each operator those whose rows reach it.
std::vector<std::set<uint32_t>> Upstream(const JobPlan& plan) {
  std::vector<std::set<uint32_t>> upstream(plan.operators.size());
  for (uint32_t o = 0; o < plan.operators.size(); ++o) {
    for (const StreamId& input : plan.operators[o].inputs) {
      if (input.source) continue;
      upstream[o].insert(input.node);
      upstream[o].insert(upstream[input.node].begin(), upstream[input.node].end());
    }
  }
  return upstream;
}

bool Predicts(const PlannedOperator& op, const std::vector<std::string>& models) {
  return std::any_of(op.plan.predicts.begin(), op.plan.predicts.end(), [&](const std::string& model) {
    return std::find(models.begin(), models.end(), model) != models.end();
  });
}

// Every operator after those it reads, and a trainer after all that predict with its models and do not read
// what it passes on: whatever order the file has, a row is predicted before its own label is learnt. Where
// that cannot be had for all, rows come first.
std::vector<uint32_t> InStageOrder(const JobPlan& plan) {
  const std::vector<std::set<uint32_t>> upstream = Upstream(plan);
  const auto count = static_cast<uint32_t>(plan.operators.size());
  std::vector<uint32_t> order;
  std::vector<bool> placed(count, false);
  const auto is_ready = [&](uint32_t o, bool waits_for_predictions) {
    if (placed[o]) return false;
    for (uint32_t other = 0; other < count; ++other) {
      if (placed[other] || other == o) continue;
      if (upstream[o].contains(other)) return false;
      const bool predicts = Predicts(plan.operators[other], plan.operators[o].plan.trains);
      if (waits_for_predictions && predicts && !upstream[other].contains(o)) return false;
    }
    return true;
  };
  while (order.size() < count) {
    uint32_t next = 0;
    while (next < count && !is_ready(next, true))
      ++next;
    if (next == count) {
      for (next = 0; !is_ready(next, false);)
        ++next;
    }
    placed[next] = true;
    order.push_back(next);
  }
  return order;
}

void AssignStages(const Draft& draft, JobPlan& plan) {
  StageBuilder builder(draft, plan);
  for (const uint32_t o : InStageOrder(plan))
    builder.Place(o);
  builder.FindInPlace();
  for (PlannedStage& stage : plan.stages) {
    if (stage.keeps_state) stage.changelog = OwnTopic(plan.job, OwnUse::kChangelog, stage.name);
  }
}

void AssignRoles(const Draft& draft, JobPlan& plan) {
  for (uint32_t s = 0; s < plan.sources.size(); ++s) {
    std::set<Role> votes;
    Vote(draft, plan, {true, s, 0}, votes);
    plan.sources[s].role = votes.empty() ? Role::kEvent : *votes.begin();
  }
}

// Sources that reach a common task or model.
void AssignConfluences(JobPlan& plan) {
  std::vector<uint32_t> group(plan.sources.size());
  std::iota(group.begin(), group.end(), 0U);
  const auto unite = [&](const std::vector<uint32_t>& sources) {
    for (const uint32_t s : sources) {
      const uint32_t from = std::max(group[s], group[sources[0]]);
      const uint32_t to = std::min(group[s], group[sources[0]]);
      std::replace(group.begin(), group.end(), from, to);
    }
  };
  for (const PlannedStage& stage : plan.stages)
    unite(stage.sources);
  for (const PlannedModel& model : plan.models) {
    std::vector<uint32_t> touching;
    for (const PlannedStage& stage : plan.stages) {
      const bool uses = std::any_of(stage.members.begin(), stage.members.end(), [&](const Member& member) {
        const Plan& op = plan.operators[member.op].plan;
        return std::find(op.predicts.begin(), op.predicts.end(), model.name) != op.predicts.end() ||
               std::find(op.trains.begin(), op.trains.end(), model.name) != op.trains.end();
      });
      if (uses) touching.insert(touching.end(), stage.sources.begin(), stage.sources.end());
    }
    if (!touching.empty()) unite(touching);
  }
  for (uint32_t s = 0; s < plan.sources.size(); ++s)
    plan.sources[s].confluence = group[s];
}

// Whether rows of two partitions never meet in the stage.
bool KeepsApart(const JobPlan& plan, const PlannedStage& stage) {
  for (const Member& member : stage.members) {
    const Plan& op = plan.operators[member.op].plan;
    if (!op.predicts.empty() || !op.trains.empty()) return false;  // they would by the model
  }
  return !stage.keeps_state || std::all_of(stage.crossings.begin(), stage.crossings.end(),
                                           [](const Crossing& crossing) { return crossing.in_place; });
}

void AssignApart(JobPlan& plan) {
  if (plan.job.frame.order != RowOrder::kArrival) return;
  std::set<uint32_t> meeting;  // confluences
  for (const PlannedStage& stage : plan.stages) {
    if (!KeepsApart(plan, stage)) meeting.insert(plan.sources[stage.sources[0]].confluence);
  }
  for (PlannedSource& source : plan.sources)
    source.apart = !meeting.contains(source.confluence);
  for (PlannedStage& stage : plan.stages)
    stage.apart = stage.keeps_state && plan.sources[stage.sources[0]].apart;
}

}  // namespace freshet
