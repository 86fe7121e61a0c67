#include "state/blocks.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

#include "engine/base/sanitizer.h"

namespace freshet {

namespace {

void* FromMalloc(size_t bytes) {
  void* block = std::malloc(bytes);
  if (block == nullptr) std::abort();  // no way on without memory
  return block;
}

}  // namespace

Blocks::~Blocks() {
  for (const Chunk& chunk : chunks_)
    pool_.Free(chunk.at, chunk.bytes);
}

size_t Blocks::Rounded(size_t bytes) {
  if (bytes <= kFine) return std::max(kStep, (bytes + kStep - 1) / kStep * kStep);
  const size_t quarter = std::bit_ceil(bytes) / 8;
  return (bytes + quarter - 1) / quarter * quarter;
}

size_t Blocks::ClassOf(size_t rounded) {
  if (rounded <= kFine) return rounded / kStep - 1;
  const size_t ceiling = std::bit_ceil(rounded);
  const auto doubling = static_cast<size_t>(std::countr_zero(ceiling) - std::countr_zero(2 * kFine));
  return kFine / kStep + 4 * doubling + (rounded / (ceiling / 8) - 5);
}

void* Blocks::Allocate(size_t bytes) {
  const size_t rounded = Rounded(bytes);
  if (kAddressSanitizer || rounded > kLargest) return FromMalloc(rounded);
  FreeBlock*& head = free_[ClassOf(rounded)];
  if (head == nullptr) return Cut(rounded);
  FreeBlock* block = head;
  head = block->next;
  return block;
}

void Blocks::Free(void* block, size_t bytes) {
  const size_t rounded = Rounded(bytes);
  if (kAddressSanitizer || rounded > kLargest) {
    std::free(block);
    return;
  }
  FreeBlock*& head = free_[ClassOf(rounded)];
  head = new (block) FreeBlock{head};
}

void* Blocks::Cut(size_t rounded) {
  if (left_ < rounded) {
    while (left_ >= kStep) {  // the rest of the old chunk serves smaller rows
      const size_t piece = std::min(left_, kFine);
      Free(next_, piece);
      next_ += piece;
      left_ -= piece;
    }
    chunk_ = std::clamp<size_t>(chunk_ * 2, std::bit_ceil(rounded), 64 << 10);
    chunks_.push_back({pool_.Allocate(chunk_), chunk_});
    next_ = static_cast<std::byte*>(chunks_.back().at);
    left_ = chunk_;
  }
  std::byte* block = next_;
  next_ += rounded;
  left_ -= rounded;
  return block;
}

}  // namespace freshet
