#pragma once
// A small seeded generator (xoshiro256**, Blackman and Vigna 2018) with the same sequence everywhere. One
// thread.
#include <array>
#include <cstdint>

namespace freshet {

class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  uint64_t Below(uint64_t bound);  // uniform in [0, bound), bound > 0
  double Uniform();                // in [0, 1)
  bool Chance(double probability) { return Uniform() < probability; }
  std::array<uint64_t, 4>& state() { return state_; }

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace freshet
