#pragma once
// Everything a lane writes in an epoch goes out through here: one transaction, begun with its first record.
// One thread.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/log/log.h"

namespace freshet {

// Whether a record without headers, of so many bytes of key and value, is one that the topic takes; all are
// where its limit is not known.
inline bool Fits(size_t bytes, int64_t max_record_bytes) {
  constexpr size_t kOverhead = 128;  // of the log's own framing, generously
  return max_record_bytes <= 0 || bytes + kOverhead <= static_cast<size_t>(max_record_bytes);
}

class Outbound {
 public:
  explicit Outbound(std::unique_ptr<Producer> producer) : producer_(std::move(producer)) {}

  Status Send(const OutgoingRecord& record) {
    if (Status s = Begin(); !s.ok()) return s;
    ++records_;
    bytes_ += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    return producer_->Send(record);
  }
  Status Commit(std::span<const PartitionOffset> positions, Consumer& consumer) {
    if (Status s = Begin(); !s.ok()) return s;
    if (Status s = producer_->Commit(positions, consumer); !s.ok()) return s;
    begun_ = false;
    records_ = bytes_ = 0;
    return {};
  }
  uint64_t records() const { return records_; }  // of the open epoch
  uint64_t bytes() const { return bytes_; }

 private:
  Status Begin() {
    if (begun_) return {};
    if (Status s = producer_->Begin(); !s.ok()) return s;
    begun_ = true;
    return {};
  }
  std::unique_ptr<Producer> producer_;
  bool begun_ = false;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace freshet
