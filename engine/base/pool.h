#pragma once
// Memory of a lane's batches and of its tables. Blocks come in powers of two from free lists, so that a lane
// in steady state calls malloc no more; objects on it are counted with plain integers. What a pool of some
// size takes from the system is huge pages where there are any: tables are read at random, and with small
// pages half the time of a look-up is the search for its page. A pool and everything made from it belong to
// one thread, and the pool outlives what was made from it.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "engine/base/sanitizer.h"

namespace freshet {

class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  // At least `bytes`, aligned to 16, from 64 up to 64 MiB to 64; contents unspecified. Give the same `bytes`
  // back to Free.
  void* Allocate(size_t bytes) {
    const size_t size_class = ClassOf(bytes);
    if (size_class > kLargest || free_[size_class] == nullptr) return Fresh(bytes);
    FreeBlock* block = free_[size_class];
    Unpoison(block, size_t{1} << size_class);
    free_[size_class] = block->next;
    return block;
  }
  void Free(void* block, size_t bytes) {
    const size_t size_class = ClassOf(bytes);
    if (size_class > kLargest) return GiveBack(block, bytes);
    free_[size_class] = new (block) FreeBlock{free_[size_class]};
    Poison(block, size_t{1} << size_class);
  }
  size_t held() const { return held_; }  // bytes taken from the system, free blocks included
  // Blocks so far that no free list had, so that malloc may have been called: constant in steady state.
  uint64_t fresh_blocks() const { return fresh_blocks_; }

 private:
  static constexpr size_t kSmallest = 5;  // 32 bytes
  static constexpr size_t kLargest = 26;  // beyond 64 MiB straight from malloc
  struct FreeBlock {
    FreeBlock* next;
  };
  static size_t ClassOf(size_t bytes) {
    return bytes <= (size_t{1} << kSmallest) ? kSmallest : static_cast<size_t>(std::bit_width(bytes - 1));
  }
  // A block on a free list is poisoned, so that the sanitizer sees a use after Free although malloc does not.
  static void Poison(void* block, size_t bytes) {
    if constexpr (kAddressSanitizer) PoisonRegion(block, bytes);
  }
  static void Unpoison(void* block, size_t bytes) {
    if constexpr (kAddressSanitizer) UnpoisonRegion(block, bytes);
  }
  static void PoisonRegion(void* block, size_t bytes);
  static void UnpoisonRegion(void* block, size_t bytes);
  void* Fresh(size_t bytes);
  void* Cut(size_t size_class);
  char* NewChunk(size_t bytes);
  void KeepFree(size_t size_class);
  void GiveBack(void* block, size_t bytes);
  FreeBlock* free_[kLargest + 1] = {};
  std::vector<char*> chunks_;
  char* next_ = nullptr;  // unused rest of the last chunk
  size_t left_ = 0;
  size_t chunk_ = 2048;  // doubles: a small pool stays small
  size_t held_ = 0;
  uint64_t fresh_blocks_ = 0;
};

// Memory of a `Source`, such as a Pool, for the standard containers; it outlives them.
template <class T, class Source>
struct AllocatorFrom {
  using value_type = T;
  explicit AllocatorFrom(Source& from) : source(&from) {}
  template <class U>
  AllocatorFrom(const AllocatorFrom<U, Source>& other) : source(other.source) {}
  T* allocate(size_t n) { return static_cast<T*>(source->Allocate(n * sizeof(T))); }
  void deallocate(T* p, size_t n) { source->Free(p, n * sizeof(T)); }
  bool operator==(const AllocatorFrom&) const = default;
  Source* source;
};

// A pointer to a pooled object with an intrusive plain count: T has `uint32_t references` and `void
// Release()` (called at zero, returns the memory).
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) ++object_->references;
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr && --object_->references == 0) object_->Release();
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace freshet
