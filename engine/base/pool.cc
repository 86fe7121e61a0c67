#include "engine/base/pool.h"

#include <bit>
#include <cstdlib>
#include <new>

namespace freshet {

size_t Pool::ClassOf(size_t bytes) {
  const auto width = static_cast<size_t>(std::bit_width(bytes - 1));
  return bytes <= (size_t{1} << kSmallest) ? kSmallest : width;
}

void* Pool::Allocate(size_t bytes) {
  const size_t size_class = ClassOf(bytes);
  if (size_class <= kLargest && free_[size_class] != nullptr) {
    FreeBlock* block = free_[size_class];
    free_[size_class] = block->next;
    return block;
  }
  const size_t size = size_class <= kLargest ? size_t{1} << size_class : bytes;
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
}

Pool::~Pool() {
  for (FreeBlock*& list : free_) {
    while (list != nullptr) {
      FreeBlock* next = list->next;
      std::free(list);
      list = next;
    }
  }
}

}  // namespace freshet
