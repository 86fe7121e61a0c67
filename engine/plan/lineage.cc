#include "engine/plan/lineage.h"

#include <algorithm>

namespace freshet {

namespace {

void Add(const Origin& origin, std::vector<Origin>& to) {
  const bool known = std::any_of(to.begin(), to.end(),
                                 [&](const Origin& known_one) { return known_one.field == origin.field; });
  if (!known) to.push_back(origin);
}

// The path as seen from a column of this name: the name itself, unless the path begins with it already.
Origin Through(const std::string& column, const Origin& origin) {
  const bool same = origin.path == column || origin.path.starts_with(column + " ← ");
  return {origin.field, same ? origin.path : column + " ← " + origin.path};
}

}  // namespace

StreamLineage SourceLineage(const Schema& schema, size_t event_time) {
  StreamLineage lineage;
  for (const Field& field : schema.fields())
    lineage.columns.push_back({{field.name, field.name}});
  const std::string& name = schema[event_time].name;
  lineage.event_time.push_back({name, "event time ← " + name});
  return lineage;
}

StreamLineage OutputLineage(const Output& output, std::span<const StreamLineage* const> inputs) {
  StreamLineage lineage;
  for (size_t c = 0; c < output.derivations.size(); ++c) {
    const Derivation& derivation = output.derivations[c];
    const std::string& name = output.schema[c].name;
    std::vector<Origin> origins;
    if (!derivation.same) origins.push_back({name, name});
    for (const ColumnRef& read : derivation.current) {
      for (const Origin& origin : inputs[read.port]->columns[read.column])
        Add(Through(name, origin), origins);
    }
    if (derivation.event_time) {
      for (const Origin& origin : inputs[0]->event_time)
        Add(Through(name, origin), origins);
    }
    lineage.columns.push_back(std::move(origins));
  }
  for (const StreamLineage* input : inputs) {
    for (const Origin& origin : input->event_time)
      Add(origin, lineage.event_time);
  }
  return lineage;
}

}  // namespace freshet
