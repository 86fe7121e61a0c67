#include "engine/runtime/topology.h"

#include <algorithm>

#include "engine/runtime/reach.h"

namespace freshet {

namespace {

uint32_t MemberOf(const PlannedStage& stage, uint32_t op, uint32_t part) {
  for (uint32_t m = 0; m < stage.members.size(); ++m) {
    if (stage.members[m].op == op && stage.members[m].part == part) return m;
  }
  return UINT32_MAX;
}

bool Crosses(const PlannedStage& stage, uint32_t op, uint32_t part, uint32_t port) {
  return std::any_of(stage.crossings.begin(), stage.crossings.end(),
                     [&](const Crossing& c) { return c.op == op && c.part == part && c.port == port; });
}

}  // namespace

uint32_t Topology::StreamIndex(StreamId id) const {
  return id.source ? id.node : first_stream_[id.node] + id.port;
}

Topology::Topology(const JobPlan& job) : plan(job) {
  streams = static_cast<uint32_t>(job.sources.size());
  for (const PlannedOperator& op : job.operators) {
    first_stream_.push_back(streams);
    streams += static_cast<uint32_t>(op.plan.outputs.size());
  }
  std::vector<bool> leaves(streams, false);
  for (const PlannedStage& stage : job.stages) {
    for (const Crossing& crossing : stage.crossings)
      leaves[StreamIndex(crossing.stream)] = true;
  }
  for (const PlannedSink& sink : job.sinks) {
    sink_streams.emplace_back();
    for (const StreamId stream : sink.streams) {
      leaves[StreamIndex(stream)] = true;
      sink_streams.back().push_back(StreamIndex(stream));
    }
  }
  source_timers.resize(job.sources.size());
  std::vector<Duration> earlier(job.sources.size(), 0);  // of the operators so far, be they upstream or not
  std::vector<std::vector<Duration>> before(job.sources.size(), std::vector<Duration>(job.operators.size()));
  source_stages.resize(job.sources.size());
  std::vector<bool> timed(streams, false);  // may bring rows that a timer gave
  for (uint32_t s = 0; s < job.stages.size(); ++s) {
    const PlannedStage& stage = job.stages[s];
    StageView view;
    for (const Crossing& crossing : stage.crossings) {
      view.exact_timers = view.exact_timers || timed[StreamIndex(crossing.stream)];
      view.entry.push_back(MemberOf(stage, crossing.op, crossing.part));
      view.crossing_stream.push_back(StreamIndex(crossing.stream));
    }
    for (const Member& member : stage.members) {
      const PlannedOperator& op = job.operators[member.op];
      std::vector<OutputPort> ports(op.plan.outputs.size());
      for (uint32_t port = 0; port < ports.size(); ++port) {
        ports[port].stream = first_stream_[member.op] + port;
        ports[port].leaves = leaves[ports[port].stream];
        const StreamId id{false, member.op, port};
        for (uint32_t m = 0; m < stage.members.size(); ++m) {
          const Member& reader = stage.members[m];
          const std::vector<StreamId>& inputs = job.operators[reader.op].inputs;
          for (uint32_t p = 0; p < inputs.size(); ++p) {
            if (inputs[p] == id && !Crosses(stage, reader.op, reader.part, p))
              ports[port].inside.push_back({m, p});
          }
        }
      }
      view.outputs.push_back(std::move(ports));
      view.exact_timers = view.exact_timers || !op.plan.timers.empty();
      for (const uint32_t source : stage.sources) {
        before[source][member.op] = earlier[source];
        for (const TimerBound& bound : op.plan.timers)
          source_timers[source].push_back({bound, earlier[source]});
        earlier[source] += op.plan.earlier;
      }
    }
    for (const uint32_t source : stage.sources)
      source_stages[source].push_back(s);
    for (const std::vector<OutputPort>& ports : view.outputs) {
      for (const OutputPort& port : ports)
        timed[port.stream] = view.exact_timers;
    }
    stages.push_back(std::move(view));
  }
  for (uint32_t s = 0; s < job.sources.size(); ++s) {
    const Reach reach = ReachOf(job, s);
    row_by_row.push_back(reach.row_by_row);
    source_gates.emplace_back();
    for (const Reach::Gate& gate : reach.gates)
      AddGate(gate.op, gate.port, before[s][gate.op], source_gates.back());
  }
}

void Topology::AddGate(uint32_t op, uint32_t port, Duration before, std::vector<Gate>& gates) const {
  for (uint32_t s = 0; s < plan.stages.size(); ++s) {
    const std::vector<Member>& members = plan.stages[s].members;
    for (uint32_t m = 0; m < members.size(); ++m) {
      if (members[m].op == op) gates.push_back({s, m, port, before});
    }
  }
}

}  // namespace freshet
