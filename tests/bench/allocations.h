#pragma once
// How often this program asks for memory, so that a bench can show what costs an allocation, and refuse it. A
// meter belongs to one thread; else any thread.
#include <cstdint>

#include "engine/base/pool.h"

namespace benchmark {
class State;
}

namespace freshet {

uint64_t Allocations();  // calls of operator new so far

// What is asked for between Begin and End, of operator new and of the system by a pool.
class MemoryMeter {
 public:
  explicit MemoryMeter(const Pool& pool) : pool_(&pool) {}
  void Begin();
  void End();
  // Forgets what was asked for so far: that was warming up.
  void Restart() { allocations_ = mallocs_ = 0; }
  // The counters `allocations` and `mallocs`, of an iteration. Where it asked for any the bench has failed.
  void Report(benchmark::State& state) const;

 private:
  const Pool* pool_;
  uint64_t allocations_ = 0, mallocs_ = 0;
  uint64_t allocations_before_ = 0, mallocs_before_ = 0;
};

}  // namespace freshet
