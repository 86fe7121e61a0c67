#pragma once
// Counts that follow the commits: what an abandoned epoch counted is forgotten with it. The lane's thread
// writes; any thread may read Committed().
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "engine/metrics/counter.h"

namespace freshet {

class Tally {
 public:
  // Live counters of the present incarnation, by `family{label="…"}`.
  std::map<std::string, Counter, std::less<>>& live() { return live_; }
  // The epoch was committed.
  void Keep();
  // The incarnation was abandoned: its live counters are gone, and with them what was not kept.
  void Drop();
  std::map<std::string, uint64_t> Committed() const;

 private:
  std::map<std::string, Counter, std::less<>> live_;
  std::map<std::string, uint64_t> base_;  // of earlier incarnations
  mutable std::mutex mutex_;              // guards kept_
  std::map<std::string, uint64_t> kept_;
};

}  // namespace freshet
