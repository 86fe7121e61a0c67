// Groups and positions of a simulated broker.
#include "engine/log/simulated/simulated_state.h"

namespace freshet {

Group::MemberId SimulatedState::Join(const std::string& name, const std::string& instance,
                                     Duration session_timeout, int32_t partitions) {
  GroupState& state = groups_[name];
  for (auto joined = state.joined.begin(); !instance.empty() && joined != state.joined.end(); ++joined) {
    if (joined->second.instance != instance) continue;
    state.replaced.insert(joined->first);
    state.joined.erase(joined);
    break;
  }
  const Group::MemberId member = state.group.Join(instance, partitions);
  state.joined[member] = {instance, session_timeout, clock.Now()};
  ExpelSilent(state);
  return member;
}

void SimulatedState::Leave(const std::string& name, Group::MemberId member) {
  GroupState& state = groups_[name];
  state.group.Leave(member);
  state.joined.erase(member);
  state.replaced.erase(member);
}

Result<GroupChange> SimulatedState::TakeChange(const std::string& name, Group::MemberId member) {
  GroupState& state = groups_[name];
  if (state.replaced.contains(member)) {
    return Status{Code::kFenced, "another member of group `" + name +
                                     "` took this one's instance name; see which process uses it too"};
  }
  const auto joined = state.joined.find(member);
  if (joined != state.joined.end()) joined->second.polled = clock.Now();
  return state.group.Take(member);
}

bool SimulatedState::HasChange(const std::string& name, Group::MemberId member) const {
  const auto state = groups_.find(name);
  return state != groups_.end() && state->second.group.HasChange(member);
}

bool SimulatedState::IsMember(const std::string& name, Group::MemberId member) const {
  const auto state = groups_.find(name);
  return state != groups_.end() && state->second.group.is_member(member);
}

// Only where another member could have the share: who is alone keeps it, since nobody is there to tell the
// difference, and a test that lets hours pass needs no heartbeat.
void SimulatedState::ExpelSilent(GroupState& state) {
  const Time now = clock.Now();
  for (auto joined = state.joined.begin(); joined != state.joined.end();) {
    const bool silent = now - joined->second.polled > joined->second.session_timeout;
    if (!silent || state.joined.size() < 2) {
      ++joined;
      continue;
    }
    state.group.Expel(joined->first);
    joined = state.joined.erase(joined);
  }
}

void SimulatedState::SetPositions(const std::string& name, std::span<const PartitionOffset> positions) {
  for (const PartitionOffset& position : positions)
    groups_[name].positions[position.id] = position.offset;
}

std::optional<int64_t> SimulatedState::Committed(const std::string& name, const PartitionId& id) const {
  const auto state = groups_.find(name);
  if (state == groups_.end()) return std::nullopt;
  const auto position = state->second.positions.find(id);
  return position == state->second.positions.end() ? std::nullopt : std::optional<int64_t>(position->second);
}

}  // namespace freshet
