#include "state/key_mark.h"

#include <random>

namespace freshet {

namespace {

uint64_t DrawSeed() noexcept {
  std::random_device device;
  const uint64_t high = device();
  return high << 32 | device();
}

}  // namespace

const uint64_t kMarkSeed = DrawSeed();

}  // namespace freshet
