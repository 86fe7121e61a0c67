#include "engine/runtime/tally.h"

namespace freshet {

void Tally::Keep() {
  const std::lock_guard lock(mutex_);
  kept_ = base_;
  for (const auto& [name, counter] : live_)
    kept_[name] += counter.value();
}

void Tally::Drop() {
  const std::lock_guard lock(mutex_);
  base_ = kept_;
  live_.clear();
}

std::map<std::string, uint64_t> Tally::Committed() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

}  // namespace freshet
