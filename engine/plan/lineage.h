#pragma once
// For every column of every stream, itself and the fields and columns of the current row it derives from, and
// by which steps (docs/architecture.md, "Lineage"). Internal to engine/plan; one thread.
#include <span>
#include <string>
#include <vector>

#include "engine/operator/definition.h"

namespace freshet {

struct StreamLineage {
  std::vector<std::vector<Origin>> columns;
  std::vector<Origin> event_time;  // what says when the current row happened
};

StreamLineage SourceLineage(const Schema& schema, size_t event_time);
// `inputs`: of each port.
StreamLineage OutputLineage(const Output& output, std::span<const StreamLineage* const> inputs);

}  // namespace freshet
