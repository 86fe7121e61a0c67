#pragma once
// The run-time state of one evaluation: a run of at most kChunk rows, one vector of values for each
// instruction, and memory for computed texts. All of it from the lane's pool. Inside engine/expression only.
// One thread.
//
// Always: the value under a null is unspecified but initialised; bits of a validity mask beyond the rows mean
// nothing.
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/pool.h"
#include "engine/data/column.h"

namespace freshet {

inline constexpr size_t kChunk =
    1024;  // rows evaluated together: vectors of a usual expression stay in the L1 cache
inline constexpr size_t kChunkWords = kChunk / 64;
inline constexpr size_t kMaxText = 1 << 20;  // bytes of a computed text

enum class Fault : uint8_t { kDivisionByZero, kOverflow, kBadConversion };
inline constexpr size_t kFaultKinds = 3;

struct Vector {
  const void* values = nullptr;  // uint8_t, int64_t, double or std::string_view; lists have `column`
  const uint64_t* valid = nullptr;
  uint64_t* faults = nullptr;      // kFaultKinds masks of kChunkWords words; null: none
  const Column* column = nullptr;  // lists: rows from `first` on
  size_t first = 0;
  template <class T>
  const T* as() const {
    return static_cast<const T*>(values);
  }
};

// Memory that is given back all at once.
class Arena {
 public:
  explicit Arena(Pool& pool) : pool_(pool) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { Clear(); }
  void* Allocate(size_t bytes);  // aligned to 16
  void Clear() {
    if (last_ != nullptr) FreeBlocks();
  }

 private:
  struct Block {
    Block* before;
    size_t bytes;
  };
  void FreeBlocks();
  Pool& pool_;
  Block* last_ = nullptr;
  char* next_ = nullptr;
  size_t left_ = 0;
};

class Frame {
 public:
  // `vectors`: one for each instruction, owned by the caller.
  Frame(Pool& pool, Vector* vectors) : vectors_(vectors), arena_(pool) {}

  size_t rows = 0;
  size_t words() const { return (rows + 63) / 64; }
  Vector& operator[](size_t i) { return vectors_[i]; }
  Arena& arena() { return arena_; }
  bool faulted() const { return faulted_; }

  // Makes `row` of instruction `i` null, whose own validity mask is `valid`, and notes why.
  void Fail(size_t i, uint64_t* valid, size_t row, Fault why);
  // Forgets computed texts and faults: before the next run of rows.
  void Reset() {
    arena_.Clear();
    faulted_ = false;
  }

 private:
  Vector* vectors_;
  Arena arena_;
  bool faulted_ = false;
};

// Bit i is values[i], for bools 0 or 1; `rows` at most 64.
uint64_t PackBits(const uint8_t* values, size_t rows);

}  // namespace freshet
