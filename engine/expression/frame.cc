#include "engine/expression/frame.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace freshet {

static_assert(std::endian::native == std::endian::little, "PackBits reads bytes in little-endian order");

void* Arena::Allocate(size_t bytes) {
  constexpr size_t kHead = 16;
  constexpr size_t kUsual = 16 << 10;
  const size_t rounded = (bytes + 15) & ~size_t{15};
  if (rounded > left_) {
    const size_t size = std::max(kUsual, rounded + kHead);
    auto* block = static_cast<Block*>(pool_.Allocate(size));
    *block = {last_, size};
    last_ = block;
    next_ = reinterpret_cast<char*>(block) + kHead;
    left_ = size - kHead;
  }
  void* out = next_;
  next_ += rounded;
  left_ -= rounded;
  return out;
}

void Arena::FreeBlocks() {
  while (last_ != nullptr) {
    Block* block = last_;
    last_ = block->before;
    pool_.Free(block, block->bytes);
  }
  next_ = nullptr;
  left_ = 0;
}

void Frame::Fail(size_t i, uint64_t* valid, size_t row, Fault why) {
  Vector& vector = vectors_[i];
  if (vector.faults == nullptr) {
    constexpr size_t kBytes = kFaultKinds * kChunkWords * sizeof(uint64_t);
    vector.faults = static_cast<uint64_t*>(arena_.Allocate(kBytes));
    std::memset(vector.faults, 0, kBytes);
  }
  const uint64_t bit = uint64_t{1} << (row & 63);
  vector.faults[static_cast<size_t>(why) * kChunkWords + (row >> 6)] |= bit;
  valid[row >> 6] &= ~bit;
  faulted_ = true;
}

uint64_t PackBits(const uint8_t* values, size_t rows) {
  uint64_t word = 0;
  size_t i = 0;
  for (; i + 8 <= rows; i += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, values + i, 8);
    word |= ((eight * 0x0102040810204080ULL) >> 56) << i;
  }
  for (; i < rows; ++i)
    word |= uint64_t{values[i]} << i;
  return word;
}

}  // namespace freshet
