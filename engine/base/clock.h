#pragma once
// The wall clock and the steady clock, as parameters: whoever needs time takes a Clock&, so tests hold it
// still. SystemClock may be used from any thread; ManualClock by one thread only.
#include "engine/base/time.h"

namespace freshet {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;         // wall time, may jump
  virtual Duration Steady() const = 0;  // monotonic, from an arbitrary start
};

class SystemClock final : public Clock {
 public:
  Time Now() const override;
  Duration Steady() const override;
};

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = 0) : now_(start) {}
  Time Now() const override { return now_; }
  Duration Steady() const override { return now_; }
  void Advance(Duration by) { now_ += by; }

 private:
  Time now_;
};

}  // namespace freshet
