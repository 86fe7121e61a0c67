#include "engine/base/clock.h"

#include <chrono>

namespace freshet {

namespace {
template <class Point>
int64_t Micros(Point point) {
  return std::chrono::duration_cast<std::chrono::microseconds>(point.time_since_epoch()).count();
}
}  // namespace

Time SystemClock::Now() const {
  return Micros(std::chrono::system_clock::now());
}
Duration SystemClock::Steady() const {
  return Micros(std::chrono::steady_clock::now());
}

}  // namespace freshet
