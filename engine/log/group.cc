#include "engine/log/group.h"

#include <algorithm>

namespace freshet {

Group::MemberId Group::Join(const std::string& instance, int32_t partitions) {
  const std::lock_guard lock(mutex_);
  partitions_ = std::max(partitions_, partitions);
  for (auto member = members_.begin(); !instance.empty() && member != members_.end(); ++member) {
    if (member->second.instance != instance) continue;
    expelled_.insert(member->first);
    members_.erase(member);
    break;
  }
  const MemberId id = next_++;
  members_[id].instance = instance;
  Rebalance();
  return id;
}

void Group::Leave(MemberId member) {
  const std::lock_guard lock(mutex_);
  members_.erase(member);
  expelled_.erase(member);
  Rebalance();
}

void Group::Expel(MemberId member) {
  const std::lock_guard lock(mutex_);
  if (members_.erase(member) > 0) expelled_.insert(member);
  Rebalance();
}

// Sticky: members keep what they have up to their fair share; the rest goes to those with least, in order of
// joining.
void Group::Rebalance() {
  if (members_.empty()) return;
  const size_t all = static_cast<size_t>(partitions_);
  size_t with_one_more = all % members_.size();
  std::set<int32_t> free;
  for (int32_t p = 0; p < partitions_; ++p)
    free.insert(p);
  std::map<MemberId, size_t> room;
  for (auto& [id, member] : members_) {
    size_t share = all / members_.size();
    if (with_one_more > 0 && member.owned.size() > share) {
      ++share;
      --with_one_more;
    }
    member.wanted.clear();
    for (const int32_t p : member.owned) {
      if (member.wanted.size() < share) member.wanted.insert(p);
    }
    for (const int32_t p : member.wanted)
      free.erase(p);
    room[id] = share - member.wanted.size();
  }
  for (auto& [id, member] : members_) {
    if (with_one_more > 0 && room[id] + member.wanted.size() == all / members_.size()) {
      ++room[id];
      --with_one_more;
    }
    for (; room[id] > 0 && !free.empty(); --room[id]) {
      member.wanted.insert(*free.begin());
      free.erase(free.begin());
    }
  }
}

bool Group::Owned(int32_t partition) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& member) { return member.second.owned.contains(partition); });
}

GroupChange Group::Difference(const Member& member) const {
  GroupChange change;
  for (const int32_t p : member.owned) {
    if (!member.wanted.contains(p)) change.revoked.push_back(p);
  }
  for (const int32_t p : member.wanted) {
    if (!member.owned.contains(p) && !Owned(p)) change.assigned.push_back(p);
  }
  return change;
}

GroupChange Group::Take(MemberId id) {
  const std::lock_guard lock(mutex_);
  GroupChange change;
  if (expelled_.erase(id) > 0) {
    change.lost = true;
    return change;
  }
  const auto member = members_.find(id);
  if (member == members_.end()) return change;
  change = Difference(member->second);
  for (const int32_t p : change.revoked)
    member->second.owned.erase(p);
  for (const int32_t p : change.assigned)
    member->second.owned.insert(p);
  return change;
}

bool Group::HasChange(MemberId id) const {
  const std::lock_guard lock(mutex_);
  const auto member = members_.find(id);
  return expelled_.contains(id) || (member != members_.end() && !Difference(member->second).empty());
}

bool Group::is_member(MemberId id) const {
  const std::lock_guard lock(mutex_);
  return members_.contains(id);
}

}  // namespace freshet
