#include "tests/bench/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include <benchmark/benchmark.h>

namespace {

std::atomic<uint64_t> allocations{0};

// An iteration must ask for no memory. What is asked for once in hundreds of them is no iteration's: a vector
// or a hash table that doubles as windows fill, ever more rarely.
constexpr double kGrowth = .01;

void* Counted(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) std::abort();
  return block;
}

}  // namespace

void* operator new(std::size_t size) {
  return Counted(size);
}
void* operator new[](std::size_t size) {
  return Counted(size);
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete[](void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  std::free(block);
}

namespace freshet {

uint64_t Allocations() {
  return allocations.load(std::memory_order_relaxed);
}

void MemoryMeter::Begin() {
  allocations_before_ = Allocations();
  mallocs_before_ = pool_->fresh_blocks();
}

void MemoryMeter::End() {
  allocations_ += Allocations() - allocations_before_;
  mallocs_ += pool_->fresh_blocks() - mallocs_before_;
}

void MemoryMeter::Report(benchmark::State& state) const {
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["allocations"] = static_cast<double>(allocations_) / iterations;
  state.counters["mallocs"] = static_cast<double>(mallocs_) / iterations;
  if (static_cast<double>(allocations_ + mallocs_) / iterations < kGrowth) return;
  const std::string asked = std::to_string(allocations_) + " allocations and " + std::to_string(mallocs_) +
                            " mallocs of the pool in " + std::to_string(state.iterations()) +
                            " iterations after warming up: none may need any";
  state.SkipWithError(asked.c_str());
}

}  // namespace freshet
