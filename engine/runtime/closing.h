#pragma once
// The closing record: what each task's changelog says at the end of an epoch. With it a restart knows where
// the task's inputs stood, whatever the group's offsets say, and takes up event time where it was
// (docs/formats.md). Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/log/log.h"
#include "engine/runtime/watermarks.h"

namespace freshet {

struct ClosingRecord {
  // Drawn when the changelog was begun, so that a store knows which one it is of.
  uint64_t lineage = 0;
  uint64_t epoch = 0;
  uint32_t lane = 0;
  uint64_t fingerprint = 0;  // of the plan that wrote it
  Time task_watermark = kMinTime;
  Time committed_at = 0;  // by the clock
  struct Input {
    PartitionOffset next;
    SourceWatermark::Saved saved;
    bool operator==(const Input&) const = default;
  };
  std::vector<Input> inputs;  // sorted by partition
  bool operator==(const ClosingRecord&) const = default;
};

std::string EncodeClosing(const ClosingRecord& record);
Result<ClosingRecord> DecodeClosing(std::string_view bytes);

// It is a row of a table of its own, so that it is stored and restored like any other.
inline constexpr std::string_view kClosingTable = "closing";
inline constexpr std::string_view kClosingKey = "c";

}  // namespace freshet
