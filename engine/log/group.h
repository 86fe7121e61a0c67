#pragma once
// A consumer group of one process: which member has which partitions of the placement topic. What Kafka's
// broker does for Kafka, this does for the logs that live in the process. Any thread.
//
// Always: a partition has at most one owner; before it goes to another member its owner has seen the
// revocation in a Poll (cooperative rebalancing); shares differ by one partition at most.
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/log/log.h"

namespace freshet {

class Group {
 public:
  using MemberId = uint64_t;

  // A member with the same non-empty `instance` replaces the one that had it, which is thrown out.
  MemberId Join(const std::string& instance, int32_t partitions);
  void Leave(MemberId member);
  // Takes `member`'s partitions away without asking, as a broker does after the session's time-out.
  void Expel(MemberId member);
  // What changed for `member` since the last call.
  GroupChange Take(MemberId member);
  bool HasChange(MemberId member) const;
  // Whether a commit by this member may stand.
  bool is_member(MemberId member) const;

 private:
  struct Member {
    std::string instance;
    std::set<int32_t> owned;
    std::set<int32_t> wanted;  // what it is to own once everybody has given up what is not theirs
  };
  void Rebalance();
  bool Owned(int32_t partition) const;
  GroupChange Difference(const Member& member) const;

  mutable std::mutex mutex_;
  MemberId next_ = 1;
  int32_t partitions_ = 0;
  std::map<MemberId, Member> members_;
  std::set<MemberId> expelled_;  // not yet told
};

}  // namespace freshet
