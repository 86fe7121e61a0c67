#include "engine/base/pool.h"

#include <algorithm>
#include <cstdlib>

#include <sys/mman.h>

#if defined(FRESHET_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace freshet {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

#if defined(FRESHET_ADDRESS_SANITIZER)
void Pool::PoisonRegion(void* block, size_t bytes) {
  __asan_poison_memory_region(block, bytes);
}

void Pool::UnpoisonRegion(void* block, size_t bytes) {
  __asan_unpoison_memory_region(block, bytes);
}
#endif

Pool::~Pool() {
  for (size_t i = kSmallest; kAddressSanitizer && i <= kLargest; ++i) {
    while (free_[i] != nullptr) {
      FreeBlock* block = free_[i];
      Unpoison(block, size_t{1} << i);
      free_[i] = block->next;
      std::free(block);
    }
  }
  for (char* chunk : chunks_)
    std::free(chunk);
}

void* Pool::Fresh(size_t bytes) {
  ++fresh_blocks_;
  const size_t size_class = ClassOf(bytes);
  if (size_class <= kLargest) return Cut(size_class);
  void* block = std::malloc(bytes);
  if (block == nullptr) std::abort();  // as operator new would, without exceptions
  held_ += bytes;
  return block;
}

void Pool::GiveBack(void* block, size_t bytes) {
  held_ -= bytes;
  std::free(block);
}

void* Pool::Cut(size_t size_class) {
  const size_t size = size_t{1} << size_class;
  if (kAddressSanitizer || size >= kHugePage) return NewChunk(size);
  if (size >= kLine && left_ % kLine != 0) KeepFree(kSmallest);
  if (left_ < size) {
    while (left_ > 0)
      KeepFree(static_cast<size_t>(std::countr_zero(left_)));
    chunk_ = std::clamp(2 * chunk_, size, kHugePage);
    next_ = NewChunk(chunk_);
    left_ = chunk_;
  }
  char* block = next_;
  next_ += size;
  left_ -= size;
  return block;
}

// The first block of that class in the rest of the chunk.
void Pool::KeepFree(size_t size_class) {
  Free(next_, size_t{1} << size_class);
  next_ += size_t{1} << size_class;
  left_ -= size_t{1} << size_class;
}

char* Pool::NewChunk(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  auto* chunk = static_cast<char*>(std::aligned_alloc(alignment, std::max(bytes, kLine)));
  if (chunk == nullptr) std::abort();
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) ::madvise(chunk, bytes, MADV_HUGEPAGE);  // a wish: small pages serve too
#endif
  if (!kAddressSanitizer) chunks_.push_back(chunk);
  held_ += bytes;
  return chunk;
}

}  // namespace freshet
