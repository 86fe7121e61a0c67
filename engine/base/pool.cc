#include "engine/base/pool.h"

#include <bit>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace freshet {
namespace {

// A block on a free list is poisoned, so that the sanitizer sees a use after Free although malloc does not.
void Poison([[maybe_unused]] void* block, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(block, bytes);
#endif
}

void Unpoison([[maybe_unused]] void* block, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(block, bytes);
#endif
}

}  // namespace

Pool::~Pool() {
  for (size_t i = kSmallest; i <= kLargest; ++i) {
    while (free_[i] != nullptr) {
      FreeBlock* block = free_[i];
      Unpoison(block, size_t{1} << i);
      free_[i] = block->next;
      std::free(block);
    }
  }
}

size_t Pool::ClassOf(size_t bytes) {
  return bytes <= (size_t{1} << kSmallest) ? kSmallest : static_cast<size_t>(std::bit_width(bytes - 1));
}

void* Pool::Allocate(size_t bytes) {
  const size_t size_class = ClassOf(bytes);
  const size_t size = size_class <= kLargest ? size_t{1} << size_class : bytes;
  if (size_class <= kLargest && free_[size_class] != nullptr) {
    FreeBlock* block = free_[size_class];
    Unpoison(block, size);
    free_[size_class] = block->next;
    return block;
  }
  void* block = std::malloc(size);
  if (block == nullptr) std::abort();  // as operator new would, without exceptions
  ++mallocs_;
  held_ += size;
  return block;
}

void Pool::Free(void* block, size_t bytes) {
  const size_t size_class = ClassOf(bytes);
  if (size_class > kLargest) {
    held_ -= bytes;
    std::free(block);
    return;
  }
  free_[size_class] = new (block) FreeBlock{free_[size_class]};
  Poison(block, size_t{1} << size_class);
}

}  // namespace freshet
