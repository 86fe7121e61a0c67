#pragma once
// Which timer of a lane's tasks fires next. One thread.
#include <cstdint>
#include <vector>

#include "engine/runtime/event_clock.h"
#include "engine/runtime/task.h"
#include "engine/runtime/topology.h"

namespace freshet {

class DueTimers {
 public:
  // Both outlive this.
  DueTimers(const Topology& topology, const EventClock& clock);

  // `task` keeps state, and outlives this. Add all before anything else.
  void Add(Task& task);
  // After the tasks were restored.
  Status Open();
  // After rows or a timer may have set others.
  Status Refresh();

  // The first exact timer of the tasks with that clock, due or not; kMaxTime: none.
  Time first_exact(uint32_t clock) const;
  // The task whose first timer is the next to fire: of those that are due, exact ones in (time, place, key)
  // order, and then the others, of which nobody sees when they fire, nor in which order. Null: none is due.
  Result<Task*> Next();

 private:
  struct Entry {
    Task* task = nullptr;
    uint32_t clock = 0;
    Time first = kMaxTime;
  };
  bool IsExact(uint32_t clock) const;
  bool IsDue(uint32_t clock, Time timer) const;
  Status Ask(Entry& entry);
  void RefreshClock(uint32_t clock);
  Result<Task*> FirstExact();

  const Topology& topology_;
  const EventClock& clock_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> changed_;                // of entries_: those whose first may be another
  std::vector<std::vector<uint32_t>> of_clock_;  // entries
  std::vector<Time> first_;                      // by clock
};

}  // namespace freshet
