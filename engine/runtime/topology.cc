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
  for (const PlannedSink& sink : job.sinks) {
    sink_streams.emplace_back();
    for (const StreamId stream : sink.streams)
      sink_streams.back().push_back(StreamIndex(stream));
  }
  ViewStages();
  FollowSources();
}

// Which streams are read by another stage or a sink.
std::vector<bool> Topology::LeavingStreams() const {
  std::vector<bool> leaves(streams, false);
  for (const PlannedStage& stage : plan.stages) {
    for (const Crossing& crossing : stage.crossings)
      leaves[StreamIndex(crossing.stream)] = true;
  }
  for (const std::vector<uint32_t>& sink : sink_streams) {
    for (const uint32_t stream : sink)
      leaves[stream] = true;
  }
  return leaves;
}

void Topology::ViewStages() {
  const std::vector<bool> leaves = LeavingStreams();
  std::vector<bool> timed(streams, false);  // may bring rows that a timer gave
  for (const PlannedStage& stage : plan.stages) {
    StageView view;
    view.first_clock = clocks;
    clocks += stage.apart ? stage.shards : 1;
    stage_of_clock.resize(clocks, static_cast<uint32_t>(stages.size()));
    for (const Crossing& crossing : stage.crossings) {
      view.exact_timers = view.exact_timers || timed[StreamIndex(crossing.stream)];
      view.entry.push_back(MemberOf(stage, crossing.op, crossing.part));
      view.crossing_stream.push_back(StreamIndex(crossing.stream));
    }
    for (const Member& member : stage.members) {
      view.outputs.push_back(PortsOf(stage, member, leaves));
      view.exact_timers = view.exact_timers || !plan.operators[member.op].plan.timers.empty();
    }
    for (const std::vector<OutputPort>& ports : view.outputs) {
      for (const OutputPort& port : ports)
        timed[port.stream] = view.exact_timers;
    }
    stages.push_back(std::move(view));
  }
}

std::vector<Topology::OutputPort> Topology::PortsOf(const PlannedStage& stage, const Member& member,
                                                    const std::vector<bool>& leaves) const {
  std::vector<OutputPort> ports(plan.operators[member.op].plan.outputs.size());
  for (uint32_t port = 0; port < ports.size(); ++port) {
    ports[port].stream = first_stream_[member.op] + port;
    ports[port].leaves = leaves[ports[port].stream];
    const StreamId id{false, member.op, port};
    for (uint32_t m = 0; m < stage.members.size(); ++m) {
      const Member& reader = stage.members[m];
      const std::vector<StreamId>& inputs = plan.operators[reader.op].inputs;
      for (uint32_t p = 0; p < inputs.size(); ++p) {
        if (inputs[p] == id && !Crosses(stage, reader.op, reader.part, p))
          ports[port].inside.push_back({m, p});
      }
    }
  }
  return ports;
}

// What of the stages a source's rows come to, and what they may do there.
void Topology::FollowSources() {
  for (uint32_t source = 0; source < plan.sources.size(); ++source) {
    source_stages.emplace_back();
    source_timers.emplace_back();
    source_gates.emplace_back();
    Duration earlier = 0;  // of the operators so far, be they upstream or not
    std::vector<Duration> before(plan.operators.size());
    for (uint32_t s = 0; s < plan.stages.size(); ++s) {
      const PlannedStage& stage = plan.stages[s];
      if (std::find(stage.sources.begin(), stage.sources.end(), source) == stage.sources.end()) continue;
      source_stages.back().push_back(s);
      for (const Member& member : stage.members) {
        const Plan& op = plan.operators[member.op].plan;
        before[member.op] = earlier;
        for (const TimerBound& bound : op.timers)
          source_timers.back().push_back({bound, earlier});
        earlier += op.earlier;
      }
    }
    const Reach reach = ReachOf(plan, source);
    row_by_row.push_back(reach.row_by_row);
    for (const Reach::Gate& gate : reach.gates)
      AddGate(gate.op, gate.port, before[gate.op], source_gates.back());
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
