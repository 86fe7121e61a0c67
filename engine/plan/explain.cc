#include <algorithm>
#include <limits>
#include <tuple>

#include "engine/base/number.h"
#include "engine/plan/plan.h"

namespace freshet {

namespace {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kTable:
      return "table";
    case Role::kEvent:
      return "event";
    case Role::kLabel:
      return "label";
  }
  return "";
}

void ExplainSources(const JobPlan& plan, std::string& out) {
  std::vector<const PlannedSource*> order;
  for (const PlannedSource& source : plan.sources)
    order.push_back(&source);
  std::sort(order.begin(), order.end(), [](const PlannedSource* a, const PlannedSource* b) {
    return std::tuple(a->confluence, a->role, std::string_view(a->name)) <
           std::tuple(b->confluence, b->role, std::string_view(b->name));
  });
  out +=
      "order of rows: by event time; at equal times in the order of this list, then by partition and "
      "offset\n";
  for (const PlannedSource* source : order) {
    out += "  " + source->name + " (" + std::string(RoleName(source->role)) + ", topic " + source->topic +
           ", event time " + source->schema[source->event_time].name + ", up to " +
           FormatDuration(source->max_out_of_orderness) + " out of order" +
           (source->apart ? ", each partition by itself" : "") + ")\n";
  }
}

std::string KeyText(const JobPlan& plan, const Crossing& crossing) {
  if (crossing.spread == Spread::kOne) return "in one task";
  if (crossing.spread == Spread::kAny) return "as they come";
  std::string text;
  for (const size_t column : plan.operators[crossing.op].keys[crossing.port])
    text += (text.empty() ? "by " : ", ") + plan.SchemaOf(crossing.stream)[column].name;
  return text + (crossing.in_place ? ", in place," : "");
}

// The state whose size hangs on keys and rows alone, and not on what they hold.
void ExplainState(const PlannedOperator& op, std::string& out) {
  if (op.plan.state.empty()) return;
  int64_t per_key = 0;
  std::string rows;
  for (const StateSize& size : op.plan.state) {
    per_key = size.per_key > std::numeric_limits<int64_t>::max() - per_key
                  ? std::numeric_limits<int64_t>::max()
                  : per_key + size.per_key;
    rows += (rows.empty() ? ", and " : ", ") + FormatByteSize(size.per_row) + " for each row of the last " +
            FormatDuration(size.kept);
  }
  out += "    " + op.name + " keeps up to " + FormatByteSize(per_key) + " a key" + rows + "\n";
}

void ExplainStages(const JobPlan& plan, std::string& out) {
  out += "stages:\n";
  for (const PlannedStage& stage : plan.stages) {
    out += "  " + stage.name + ": " + std::to_string(stage.shards) +
           (stage.shards == 1 ? " shard" : " shards") +
           (stage.keeps_state ? ", changelog " + stage.changelog : ", no state") + "\n";
    for (const Crossing& crossing : stage.crossings) {
      out += "    takes " + plan.NameOf(crossing.stream) + " " + KeyText(plan, crossing) + " into " +
             plan.operators[crossing.op].name + "\n";
    }
    out += "    runs";
    for (const Member& member : stage.members) {
      out += " " + plan.operators[member.op].name + " (" + plan.operators[member.op].type + ")";
    }
    out += "\n";
    for (const Member& member : stage.members)
      ExplainState(plan.operators[member.op], out);
  }
}

std::string_view UseName(TopicNeed::Use use) {
  switch (use) {
    case TopicNeed::Use::kSource:
      return "source";
    case TopicNeed::Use::kSink:
      return "sink";
    case TopicNeed::Use::kPlacement:
      return "placement";
    case TopicNeed::Use::kDeadLetters:
      return "dead letters";
    case TopicNeed::Use::kChangelog:
      return "changelog";
    case TopicNeed::Use::kModel:
      return "model";
  }
  return "";
}

void ExplainTopics(const JobPlan& plan, std::string& out) {
  out += "topics:\n";
  for (const TopicNeed& need : TopicsOf(plan)) {
    out += "  " + need.topic + " (" + std::string(UseName(need.use));
    if (need.partitions > 0) {
      out += ", " + std::to_string(need.partitions) + (need.partitions == 1 ? " partition" : " partitions");
    }
    out += need.compacted ? ", compacted)\n" : ")\n";
  }
}

void ExplainMemory(const JobPlan& plan, std::string& out) {
  const MemorySplit& m = plan.memory;
  out += "memory " + FormatByteSize(plan.job.frame.memory) + ":";
  const auto part = [&](std::string_view name, int64_t bytes) {
    out += " " + std::string(name) + " " + FormatByteSize(bytes);
  };
  part("prefetch", m.prefetch);
  part("producer", m.producer);
  part("dirty", m.dirty);
  part("cache", m.cache);
  part("block_cache", m.block_cache);
  part("memtables", m.memtables);
  part("merge", m.merge);
  part("restore", m.restore);
  out += "\n";
}

}  // namespace

std::string Explain(const JobPlan& plan) {
  std::string out = "job " + plan.job.frame.prefix + plan.job.frame.job + "\n";
  ExplainSources(plan, out);
  ExplainStages(plan, out);
  if (!plan.models.empty()) out += "models:\n";
  for (const PlannedModel& model : plan.models) {
    out += "  " + model.name + ": " +
           (model.trainer == UINT32_MAX ? "frozen" : "trained by " + plan.operators[model.trainer].name) +
           "\n";
  }
  ExplainTopics(plan, out);
  ExplainMemory(plan, out);
  return out;
}

}  // namespace freshet
