#include "engine/runtime/pipeline.h"

#include <utility>

namespace freshet {

Pipeline::Pipeline(const Topology& topology, Pool& pool,
                   std::vector<std::unique_ptr<StageOperators>>& operators, std::vector<SinkWriter>& sinks,
                   Outbound& out, DeadLetters& dead_letters)
    : topology_(topology),
      pool_(pool),
      operators_(operators),
      sinks_(sinks),
      out_(out),
      dead_letters_(dead_letters),
      pieces_(topology.streams) {}

void Pipeline::Push(uint32_t stream, Batch rows) {
  if (pieces_[stream].empty()) filled_.push_back(stream);
  pieces_[stream].push_back(std::move(rows));
}

const Batch& Pipeline::Joined(uint32_t stream) {
  std::vector<Batch>& pieces = pieces_[stream];
  if (pieces.size() > 1) {
    Batch joined = Batch::MergeByOrdinal(pool_, pieces);
    pieces.clear();
    pieces.push_back(std::move(joined));
  }
  return pieces[0];
}

Status Pipeline::RunBatch(uint32_t source, const Batch& rows) {
  Push(source, rows);
  return Flow(0);
}

Status Pipeline::RunTimer(Task& task) {
  if (Status s = operators_[task.stage()]->FireFirst(task); !s.ok()) return s;
  if (filled_.empty()) return {};
  return Flow(task.stage() + 1);
}

Status Pipeline::Flow(uint32_t first_stage) {
  Status status;
  for (uint32_t s = first_stage; s < topology_.stages.size() && status.ok(); ++s) {
    const auto crossings = static_cast<uint32_t>(topology_.stages[s].entry.size());
    for (uint32_t c = 0; c < crossings && status.ok(); ++c) {
      if (!pieces_[topology_.stages[s].crossing_stream[c]].empty()) status = Enter(s, c);
    }
  }
  if (status.ok()) status = WriteSinks();
  for (const uint32_t stream : filled_)
    pieces_[stream].clear();
  filled_.clear();
  return status;
}

Status Pipeline::Enter(uint32_t stage, uint32_t crossing) {
  const Crossing& entry = topology_.plan.stages[stage].crossings[crossing];
  const Topology::StageView& view = topology_.stages[stage];
  const Batch rows = Joined(view.crossing_stream[crossing]);
  return operators_[stage]->Process(view.entry[crossing], entry.port, rows);
}

Status Pipeline::WriteSinks() {
  for (size_t s = 0; s < sinks_.size(); ++s) {
    for (const uint32_t stream : topology_.sink_streams[s]) {
      if (!pieces_[stream].empty()) united_.push_back(Joined(stream));
    }
    if (united_.empty()) continue;
    // Streams united in one sink come in the order of the rows that caused theirs.
    const Batch rows = united_.size() == 1 ? united_[0] : Batch::MergeByOrdinal(pool_, united_);
    united_.clear();
    if (Status status = sinks_[s].Write(rows, out_, dead_letters_); !status.ok()) return status;
  }
  return {};
}

}  // namespace freshet
