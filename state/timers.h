#pragma once
// Event-time timers of a task, kept in one of its tables, so that they commit and restore with everything
// else. One thread. A timer is (time, operator's place in the plan, key bytes); setting one twice is setting
// it once.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "state/shard_key.h"

namespace freshet {

class TaskStore;

struct DueTimer {
  Time time = 0;
  uint32_t place = 0;  // of the operator that set it
  std::string key;     // as given to Set
  uint32_t shard = 0;  // of the task, set where it fires
  bool operator==(const DueTimer&) const = default;
  // The order in which timers fire, whatever their shards.
  bool operator<(const DueTimer& other) const {
    return std::tie(time, place, key) < std::tie(other.time, other.place, other.key);
  }
};

class TaskTimers {
 public:
  // `store` outlives this.
  static Result<std::unique_ptr<TaskTimers>> Open(TaskStore& store);
  ~TaskTimers();

  Status Set(Time time, uint32_t place, std::string_view key);
  Status Cancel(Time time, uint32_t place, std::string_view key);
  // `changed`, which outlives this, gets `number` when First() may have become another: once until Heard.
  void Report(std::vector<uint32_t>& changed, uint32_t number);
  void Heard();
  // The first timer, or null; stays valid until the next call of any function. Cheap: kept in memory.
  Result<const DueTimer*> First();
  // Removes the first timer, and says which it was. REQUIRES: First() is one.
  Status Pop(DueTimer* taken = nullptr);

 private:
  struct Impl;
  explicit TaskTimers(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// An operator's own timers, each in the task of its key's shard.
class Timers {
 public:
  // `of_shard` outlives this.
  Timers(std::span<TaskTimers* const> of_shard, uint32_t place) : of_shard_(of_shard), place_(place) {}
  Status Set(Time time, const ShardKey& key) { return of_shard_[key.shard]->Set(time, place_, key.bytes); }
  Status Cancel(Time time, const ShardKey& key) {
    return of_shard_[key.shard]->Cancel(time, place_, key.bytes);
  }

 private:
  std::span<TaskTimers* const> of_shard_;
  uint32_t place_;
};

}  // namespace freshet
