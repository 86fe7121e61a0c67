#include "engine/base/pool.h"

#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace freshet {

#if defined(__SANITIZE_ADDRESS__)
void Pool::Poison(void* block, size_t bytes) {
  __asan_poison_memory_region(block, bytes);
}

void Pool::Unpoison(void* block, size_t bytes) {
  __asan_unpoison_memory_region(block, bytes);
}
#endif

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

void* Pool::Fresh(size_t bytes) {
  const size_t size_class = ClassOf(bytes);
  const size_t size = size_class <= kLargest ? size_t{1} << size_class : bytes;
  void* block = std::malloc(size);
  if (block == nullptr) std::abort();  // as operator new would, without exceptions
  ++mallocs_;
  held_ += size;
  return block;
}

void Pool::GiveBack(void* block, size_t bytes) {
  held_ -= bytes;
  std::free(block);
}

}  // namespace freshet
