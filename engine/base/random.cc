#include "engine/base/random.h"

#include <bit>

namespace freshet {

// The state is spread from the seed by splitmix64, as the generator's authors advise.
Random::Random(uint64_t seed) : state_{} {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    word = z ^ z >> 31;
  }
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// Rejects the few values that would make low results likelier.
uint64_t Random::Below(uint64_t bound) {
  const uint64_t excess = (0 - bound) % bound;
  uint64_t value = Next();
  while (value < excess)
    value = Next();
  return value % bound;
}

double Random::Uniform() {
  return static_cast<double>(Next() >> 11) * 0x1p-53;
}

}  // namespace freshet
