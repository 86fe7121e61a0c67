#include "engine/runtime/due_timers.h"

#include <algorithm>

namespace freshet {

DueTimers::DueTimers(const Topology& topology, const EventClock& clock)
    : topology_(topology), clock_(clock), of_clock_(topology.clocks), first_(topology.clocks, kMaxTime) {}

void DueTimers::Add(Task& task) {
  const auto index = static_cast<uint32_t>(entries_.size());
  const uint32_t clock = topology_.ClockOf(task.stage(), task.shard());
  entries_.push_back({&task, clock});
  of_clock_[clock].push_back(index);
  task.timers()->Report(changed_, index);
}

Status DueTimers::Open() {
  for (Entry& entry : entries_) {
    if (Status s = Ask(entry); !s.ok()) return s;
  }
  for (uint32_t clock = 0; clock < first_.size(); ++clock)
    RefreshClock(clock);
  return {};
}

Status DueTimers::Ask(Entry& entry) {
  const Result<const DueTimer*> first = entry.task->FirstTimer();
  if (!first.ok()) return first.status();
  entry.first = *first == nullptr ? kMaxTime : (*first)->time;
  return {};
}

void DueTimers::RefreshClock(uint32_t clock) {
  first_[clock] = kMaxTime;
  for (const uint32_t index : of_clock_[clock])
    first_[clock] = std::min(first_[clock], entries_[index].first);
}

Status DueTimers::Refresh() {
  for (const uint32_t index : changed_) {
    Entry& entry = entries_[index];
    entry.task->timers()->Heard();
    const Time before = entry.first;
    if (Status s = Ask(entry); !s.ok()) return s;
    if (entry.first != before) RefreshClock(entry.clock);
  }
  changed_.clear();
  return {};
}

bool DueTimers::IsExact(uint32_t clock) const {
  return topology_.stages[topology_.stage_of_clock[clock]].exact_timers;
}

bool DueTimers::IsDue(uint32_t clock, Time timer) const {
  return timer != kMaxTime && timer <= clock_.reached(clock);
}

Time DueTimers::first_exact(uint32_t clock) const {
  return IsExact(clock) ? first_[clock] : kMaxTime;
}

Result<Task*> DueTimers::Next() {
  uint32_t other = UINT32_MAX;
  for (uint32_t clock = 0; clock < first_.size(); ++clock) {
    if (!IsDue(clock, first_[clock])) continue;
    if (IsExact(clock)) return FirstExact();
    other = clock;
  }
  if (other == UINT32_MAX) return static_cast<Task*>(nullptr);
  for (const uint32_t index : of_clock_[other]) {
    if (IsDue(other, entries_[index].first)) return entries_[index].task;
  }
  return Internal("a timer is due that no task has");
}

Result<Task*> DueTimers::FirstExact() {
  Task* best = nullptr;
  const DueTimer* best_timer = nullptr;
  for (const Entry& entry : entries_) {
    if (!IsExact(entry.clock) || !IsDue(entry.clock, entry.first)) continue;
    if (best != nullptr && entry.first > best_timer->time) continue;
    const Result<const DueTimer*> timer = entry.task->FirstTimer();
    if (!timer.ok()) return timer.status();
    if (*timer == nullptr) continue;
    if (best == nullptr || **timer < *best_timer) {
      best = entry.task;
      best_timer = *timer;
    }
  }
  if (best == nullptr) return Internal("a timer is due that no task has");
  return best;
}

}  // namespace freshet
