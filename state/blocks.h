#pragma once
// The memory of one store's rows: blocks in fine size classes cut from chunks of a pool, with free lists, so
// that a store in steady state calls malloc no more. Chunks go back only with the object: what rows of one
// size gave up serves rows of that size. One thread.
#include <cstddef>
#include <vector>

#include "engine/base/pool.h"

namespace freshet {

class Blocks {
 public:
  explicit Blocks(Pool& pool) : pool_(pool) {}  // which outlives this
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks();  // blocks beyond kLargest must have been freed before
  Pool& pool() { return pool_; }

  // At least `bytes`, aligned to 16, contents unspecified. Give the same `bytes` back to Free.
  void* Allocate(size_t bytes);
  void Free(void* block, size_t bytes);
  // What a block of that many bytes occupies; any number up to it means the same block.
  static size_t Rounded(size_t bytes);

  static constexpr size_t kLargest = 8192;  // beyond it straight from malloc

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  static constexpr size_t kStep = 16;
  static constexpr size_t kFine = 1024;                   // classes 16 bytes apart up to here,
  static constexpr size_t kClasses = kFine / kStep + 12;  // then four to each doubling
  static size_t ClassOf(size_t rounded);
  void* Cut(size_t rounded);

  struct Chunk {
    void* at;
    size_t bytes;
  };

  Pool& pool_;
  FreeBlock* free_[kClasses] = {};
  std::vector<Chunk> chunks_;
  std::byte* next_ = nullptr;  // unused rest of the last chunk
  size_t left_ = 0;
  size_t chunk_ = 2048;  // doubles: hundreds of nearly empty stores must stay small
};

}  // namespace freshet
