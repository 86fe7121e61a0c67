#pragma once
// Reads partitions from given offsets to given ends and hands every record on: how changelogs and models come
// back after a restart. One thread.
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/clock.h"
#include "engine/log/log.h"

namespace freshet {

struct CatchUp {
  PartitionId id;
  int64_t from = 0;
  int64_t to = 0;  // done when the reader's position is there; markers and aborted tails count
  std::function<Status(const RecordView&)> apply;
};

// kUnreachable where nothing moves for `patience`. `keep_alive` is called every few thousand records, so that
// its group does not take the reader of a long restore for dead; what it fails with ends the reading.
Status ReadAll(Log& log, std::vector<CatchUp> parts, int64_t prefetch_bytes, Duration patience,
               const Clock& clock, const std::function<Status()>& keep_alive);

}  // namespace freshet
