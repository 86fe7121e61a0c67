#pragma once
// One source partition of a lane: reads its records, decodes them in blocks, and holds the rows until the
// merge takes them. One thread.
//
// Always: rows are given in offset order, each once; position() is the offset to commit when everything taken
// so far is; a record that is no row is handed to the lane as a dead letter exactly when the position passes
// it; each row is in the partition where the source's `partitioned_by` says it is, or Fill fails (kInvalid).
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/data/batch.h"
#include "engine/log/log.h"
#include "engine/plan/plan.h"

namespace freshet {

// Why a record in FeedOptions::poison is no row.
inline constexpr std::string_view kKeepsAborting = "keeps_aborting";

// A record that is no row, with what is needed to write it to the dead letters.
struct Reject {
  int64_t offset = 0;
  Time timestamp = 0;
  std::string key;
  bool has_key = false;
  std::string value;
  std::string_view reason;
  std::string detail;
};

struct FeedOptions {
  size_t block_rows = 512;       // records decoded at once, at most
  size_t block_bytes = 1 << 20;  // of records, after which a block ends
  Duration max_future = kDay;
  std::set<int64_t> poison;      // offsets that go to the dead letters unread
  std::optional<int64_t> until;  // rows at or past this offset are not read: --until-end
  uint32_t partitions = 0;       // of the topic
};

class Feed {
 public:
  using RejectSink = std::function<Status(const Feed& feed, const Reject& reject)>;

  // `source`, `clock` and `pool` outlive the feed. `position`: the offset `reader` starts at.
  Feed(const PlannedSource& source, uint32_t source_index, int32_t partition, PartitionReader& reader,
       int64_t position, const Clock& clock, Pool& pool, FeedOptions options);

  // Hands bad records that no row precedes any more to `rejects`, at most `left`, which falls by their
  // number, and decodes a block of what is at hand, unless rows or such records are left.
  Status Fill(const RejectSink& rejects, size_t& left);
  // Bad records come before the head row, or all rows: they go first.
  bool has_rejects() const { return !rejects_.empty() && rejects_.front().offset < passed(); }
  bool has_row() const { return next_ < block_.rows(); }
  Time head_time() const { return block_.times()[next_]; }
  int64_t head_offset() const { return offsets_[next_]; }
  const Batch& block() const { return block_; }
  size_t block_bytes() const { return block_bytes_; }  // of the values of its records
  uint32_t head_row() const { return static_cast<uint32_t>(next_); }
  // Passes the head row, and then bad records as Fill does.
  Status Take(const RejectSink& rejects, size_t& left);

  // Whether others must wait for this partition.
  bool holds_back() const;
  // Nothing more will come before `until`.
  bool finished() const;
  // Everything known to be there was taken.
  bool at_end() const { return !has_row() && rejects_.empty() && !cut_short_ && reader_->at_end(); }
  int64_t position() const;
  int64_t end_seen() const { return reader_->end_seen(); }
  // When the last record came, by the steady clock.
  Duration last_arrival() const { return last_arrival_; }

  const PlannedSource& source() const { return *source_; }
  uint32_t source_index() const { return source_index_; }
  int32_t partition() const { return partition_; }
  PartitionId id() const { return {source_->topic, partition_}; }

 private:
  Status DecodeBlock();
  Time LatestAllowed() const;
  std::optional<Rejection> DecodeOne(const RecordView& record);
  Status CheckPartition() const;
  Status CloseBlock();
  int64_t passed() const { return has_row() ? head_offset() : decoded_to_; }
  Status PassRejects(const RejectSink& rejects, size_t& left);

  const PlannedSource* source_;
  uint32_t source_index_;
  int32_t partition_;
  PartitionReader* reader_;
  const Clock* clock_;
  Pool* pool_;
  FeedOptions options_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int64_t> building_offsets_;
  Batch block_;
  std::vector<int64_t> offsets_;
  std::deque<Reject> rejects_;
  size_t next_ = 0;
  size_t block_bytes_ = 0;
  int64_t position_;
  int64_t decoded_to_;      // offset after the last record decoded
  Time latest_ = kMaxTime;  // event times after it are refused
  std::vector<ColumnPtr> columns_;
  std::vector<uint32_t> ordinals_;
  Duration last_arrival_;
  bool cut_short_ = false;  // the last block ended with more at hand
};

}  // namespace freshet
