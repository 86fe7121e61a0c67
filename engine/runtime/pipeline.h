#pragma once
// Takes one batch of a source, or one timer, through all stages of a lane and to its sinks. One thread.
//
// Always: a batch goes through a stage whole, whichever shards its rows belong to, and depth first; what an
// operator put out in several batches is put back into the source batch's row order before the next stage,
// which sees nothing before the earlier ones have finished. So the number of shards never changes results.
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/dead_letters.h"
#include "engine/runtime/outbound.h"
#include "engine/runtime/sink_writer.h"
#include "engine/runtime/stage_operators.h"
#include "engine/runtime/topology.h"

namespace freshet {

class Pipeline final : public Outbox {
 public:
  // All outlive this. `operators`: by stage; `sinks`: by the plan's index.
  Pipeline(const Topology& topology, Pool& pool, std::vector<std::unique_ptr<StageOperators>>& operators,
           std::vector<SinkWriter>& sinks, Outbound& out, DeadLetters& dead_letters);

  Status RunBatch(uint32_t source, const Batch& rows);
  // Fires the first timer of `task` and takes what it emits downstream.
  Status RunTimer(Task& task);
  void Push(uint32_t stream, Batch rows) override;

 private:
  Status Flow(uint32_t first_stage);
  Status Enter(uint32_t stage, uint32_t crossing);
  Status WriteSinks();
  const Batch& Joined(uint32_t stream);

  const Topology& topology_;
  Pool& pool_;
  std::vector<std::unique_ptr<StageOperators>>& operators_;
  std::vector<SinkWriter>& sinks_;
  Outbound& out_;
  DeadLetters& dead_letters_;
  std::vector<std::vector<Batch>> pieces_;  // [stream]
  std::vector<uint32_t> filled_;            // streams with pieces
  std::vector<Batch> united_;               // of the streams of one sink
};

}  // namespace freshet
