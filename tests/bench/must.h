#pragma once
// What a benchmark's step must yield: else it says why, and ends the program, since nothing measured after it
// would mean anything. Any thread.
#include <utility>

#include "engine/base/status.h"

namespace freshet {

void Must(const Status& status);
template <class T>
T Must(Result<T> result) {
  Must(result.status());
  return *std::move(result);
}

}  // namespace freshet
