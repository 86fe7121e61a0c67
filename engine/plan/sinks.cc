#include "engine/plan/sinks.h"

#include <algorithm>

#include "engine/plan/graph.h"
#include "engine/plan/plan_binder.h"

namespace freshet {

std::optional<StreamId> FindStream(const JobPlan& plan, const StreamRef& reference,
                                   Diagnostics& diagnostics) {
  if (reference.empty()) return std::nullopt;
  const auto [name, side] = SplitStream(reference.name);
  for (uint32_t s = 0; s < plan.sources.size(); ++s) {
    if (plan.sources[s].name == reference.name) return StreamId{true, s, 0};
  }
  for (uint32_t o = 0; o < plan.operators.size(); ++o) {
    const PlannedOperator& op = plan.operators[o];
    if (op.name == reference.name && !side.empty()) return std::nullopt;  // no name, which was reported
    if (op.name != name) continue;
    std::vector<std::string> sides;
    for (uint32_t port = 0; port < op.plan.outputs.size(); ++port) {
      if (op.plan.outputs[port].name == side) return StreamId{false, o, port};
      if (port > 0) sides.push_back(op.plan.outputs[port].name);
    }
    if (op.plan.outputs[0].schema.open()) return std::nullopt;
    diagnostics.Error(reference.position, "operator `" + name + "` has no side output `" + side + "`" +
                                              (sides.empty() ? "; it has none" : Suggestion(side, sides)));
    return std::nullopt;
  }
  if (!plan.job.streams_lost) {
    diagnostics.Error(reference.position, "`" + reference.name + "` is no source and no operator" +
                                              Suggestion(name, StreamNames(plan.job)));
  }
  return std::nullopt;
}

const Format* FormatOf(const std::string& format, const Positions& positions, Diagnostics& diagnostics) {
  const Format* found = FindFormat(format);
  if (found != nullptr) return found;
  std::vector<std::string> names;
  for (const Format& known : Formats())
    names.emplace_back(known.name);
  diagnostics.Error(positions.Of(&format), "unknown format `" + format + "`" + Suggestion(format, names));
  return nullptr;
}

namespace {

std::vector<std::string> PathOf(const std::string& field) {
  std::vector<std::string> path{""};
  for (const char c : field) {
    if (c == '.') {
      path.emplace_back();
    } else {
      path.back().push_back(c);
    }
  }
  return path;
}

std::string FieldList(const Schema& schema) {
  std::string text;
  for (const Field& field : schema.fields())
    text += (text.empty() ? "" : ", ") + field.name;
  return text;
}

bool Clash(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::equal(a.begin(), a.begin() + static_cast<ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
}

// `a` and `a.b` would make `a` a value and an object at once.
void RefuseClashes(const SinkSpec& spec, const Schema& schema, const std::vector<OutputField>& fields,
                   Diagnostics& diagnostics) {
  for (size_t i = 0; i < fields.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!Clash(fields[i].path, fields[j].path)) continue;
      const std::string& name = schema[fields[i].column].name;
      const std::string& other = schema[fields[j].column].name;
      const Position& at = i < spec.fields.size() ? spec.fields[i].position : spec.from.front().position;
      diagnostics.Error(at, name == other ? "field `" + name + "` is written twice; leave one out"
                                          : "`" + other + "` and `" + name +
                                                "` cannot both be written: one holds the other; leave one "
                                                "out, or rename it with a `derive` before");
    }
  }
}

// `shadows`: the columns of shadow predictions, which are written only where the sink names them. `all`: a
// sink that names no fields writes all the others; false where those it names could not be read.
void ResolveFields(const SinkSpec& spec, const Schema& schema, const std::vector<bool>& shadows, bool all,
                   PlannedSink& sink, Diagnostics& diagnostics) {
  for (const FieldRef& field : spec.key.fields) {
    if (const std::optional<size_t> column = FindColumn(schema, field, diagnostics))
      sink.key.push_back(*column);
  }
  for (const FieldRef& field : spec.fields) {
    if (const std::optional<size_t> column = FindColumn(schema, field, diagnostics)) {
      sink.fields.push_back({*column, PathOf(field.name)});
    }
  }
  if (spec.fields.empty() && all) {
    for (size_t c = 0; c < schema.size(); ++c) {
      if (!shadows[c]) sink.fields.push_back({c, PathOf(schema[c].name)});
    }
    if (sink.fields.empty() && schema.size() > 0) {
      diagnostics.Error(
          spec.from.front().position,
          "`" + spec.from.front().name +
              "` has only columns of shadow predictions, which a sink writes where its `fields` "
              "name them; name some");
    }
  }
  RefuseClashes(spec, schema, sink.fields, diagnostics);
}

// By column, whether it is of a shadow prediction in any of the streams.
std::vector<bool> ShadowsOf(const JobPlan& plan, const std::vector<StreamId>& streams) {
  std::vector<bool> shadows(plan.SchemaOf(streams[0]).size());
  for (const StreamId& stream : streams) {
    const Schema& schema = plan.SchemaOf(stream);
    for (size_t c = 0; c < std::min(schema.size(), shadows.size()); ++c)
      shadows[c] = shadows[c] || schema[c].shadow;
  }
  return shadows;
}

// Whether two schemas differ in what is known of them.
bool Differ(const Schema& a, const Schema& b) {
  return !a.HidesAny() && !b.HidesAny() && !(a == b);
}

}  // namespace

void PlanSinks(JobPlan& plan, Diagnostics& diagnostics) {
  for (const auto& [name, spec] : plan.job.frame.sinks) {
    PlannedSink sink;
    sink.name = name;
    sink.topic = spec.topic;
    sink.format = FormatOf(spec.format, plan.job.positions, diagnostics);
    for (const StreamRef& from : spec.from) {
      const std::optional<StreamId> stream = FindStream(plan, from, diagnostics);
      if (!stream) continue;
      if (std::find(sink.streams.begin(), sink.streams.end(), *stream) != sink.streams.end()) {
        diagnostics.Error(from.position, "`" + from.name +
                                             "` is named twice, and each of its rows would be written twice; "
                                             "leave one out");
        continue;
      }
      if (!sink.streams.empty() && Differ(plan.SchemaOf(*stream), plan.SchemaOf(sink.streams[0]))) {
        diagnostics.Error(from.position, "streams of one sink must have equal columns: `" + from.name +
                                             "` has " + FieldList(plan.SchemaOf(*stream)) + "; `" +
                                             plan.NameOf(sink.streams[0]) + "` has " +
                                             FieldList(plan.SchemaOf(sink.streams[0])));
      }
      sink.streams.push_back(*stream);
    }
    if (sink.streams.empty()) continue;
    const bool all = !plan.job.positions.Lost(&spec.fields);
    ResolveFields(spec, plan.SchemaOf(sink.streams[0]), ShadowsOf(plan, sink.streams), all, sink,
                  diagnostics);
    plan.sinks.push_back(std::move(sink));
  }
}

void MarkRead(JobPlan& plan) {
  for (PlannedOperator& op : plan.operators) {
    for (const Output& output : op.plan.outputs)
      op.read.emplace_back(output.schema.size(), false);
  }
  const auto mark = [&](StreamId stream, size_t column) {
    if (!stream.source) plan.operators[stream.node].read[stream.port][column] = true;
  };
  for (const PlannedSink& sink : plan.sinks) {
    for (const StreamId stream : sink.streams) {
      for (const OutputField& field : sink.fields)
        mark(stream, field.column);
      for (const size_t column : sink.key)
        mark(stream, column);
    }
  }
  // Readers come after what they read, so one walk from the end sees every reader first.
  for (auto op = plan.operators.rbegin(); op != plan.operators.rend(); ++op) {
    for (const ColumnRef& read : op->plan.reads)
      mark(op->inputs[read.port], read.column);
    for (size_t port = 0; port < op->plan.outputs.size(); ++port) {
      const Output& output = op->plan.outputs[port];
      for (size_t c = 0; c < output.derivations.size(); ++c) {
        if (!op->read[port][c]) continue;
        for (const ColumnRef& read : output.derivations[c].reads)
          mark(op->inputs[read.port], read.column);
      }
    }
  }
}

}  // namespace freshet
