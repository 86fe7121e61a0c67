#include "engine/runtime/feed.h"

#include <algorithm>
#include <utility>

#include "engine/base/hash.h"

namespace freshet {

Feed::Feed(const PlannedSource& source, uint32_t source_index, int32_t partition, PartitionReader& reader,
           int64_t position, const Clock& clock, Pool& pool, FeedOptions options)
    : source_(&source),
      source_index_(source_index),
      partition_(partition),
      reader_(&reader),
      clock_(&clock),
      pool_(&pool),
      options_(std::move(options)),
      decoder_(source.format->decoder(source.fields)),
      position_(position),
      decoded_to_(position),
      last_arrival_(clock.Steady()) {
  for (const InputField& field : source.fields)
    builders_.emplace_back(pool, field.type, options_.block_rows);
}

Status Feed::Fill(const RejectSink& rejects, size_t& left) {
  if (Status s = PassRejects(rejects, left); !s.ok()) return s;
  if (has_row() || has_rejects()) return {};
  block_ = Batch();
  next_ = 0;
  if (Status s = DecodeBlock(); !s.ok()) return s;
  if (Status s = CloseBlock(); !s.ok()) return s;
  return PassRejects(rejects, left);
}

Status Feed::DecodeBlock() {
  block_bytes_ = 0;
  cut_short_ = false;
  for (size_t records = 0;; ++records) {
    if (records >= options_.block_rows || block_bytes_ >= options_.block_bytes) {
      cut_short_ = true;
      break;
    }
    if (options_.until && decoded_to_ >= *options_.until) break;
    Result<const RecordView*> next = reader_->Next();
    if (!next.ok()) return next.status();
    const RecordView* record = *next;
    if (record == nullptr) break;
    if (options_.until && record->offset >= *options_.until) {
      decoded_to_ = *options_.until;
      break;
    }
    if (records == 0) latest_ = LatestAllowed();
    decoded_to_ = record->offset + 1;
    block_bytes_ += record->value ? record->value->size() : 0;
    if (std::optional<Rejection> bad = DecodeOne(*record)) {
      rejects_.push_back({record->offset, record->timestamp, std::string(record->key.value_or("")),
                          record->key.has_value(), std::string(record->value.value_or("")), bad->reason,
                          std::move(bad->detail)});
    } else {
      building_offsets_.push_back(record->offset);
    }
  }
  return {};
}

Time Feed::LatestAllowed() const {
  const Time now = clock_->Now();
  return options_.max_future >= kMaxTime - std::max<Time>(now, 0) ? kMaxTime : now + options_.max_future;
}

// A row far ahead of the wall clock would move watermarks for good, so it is refused before anybody sees it.
std::optional<Rejection> Feed::DecodeOne(const RecordView& record) {
  if (options_.poison.contains(record.offset)) {
    return Rejection{kKeepsAborting, "no epoch with this record in it could be committed"};
  }
  if (!record.value) return Rejection{"no_value", "a tombstone is no event"};
  if (std::optional<Rejection> bad = decoder_->Decode(*record.value, builders_)) return bad;
  const Time time = builders_[source_->event_time].last_integer();
  if (time <= latest_) return std::nullopt;
  for (ColumnBuilder& builder : builders_)
    builder.RemoveLast();
  return Rejection{"far_in_the_future", "field `" + source_->schema[source_->event_time].name + "` is " +
                                            FormatTimestamp(time) +
                                            ", more than max_future ahead of the clock"};
}

// A promise that is not kept would tear the rows of one key apart, without a word.
Status Feed::CheckPartition() const {
  const PlannedSource::Partitioning& promised = *source_->partitioned_by;
  const Column& keys = *columns_[promised.column];
  std::string key;
  for (size_t row = 0; row < offsets_.size(); ++row) {
    key.clear();
    AppendKeyText(keys, row, key);
    const uint32_t partition = PartitionOf(promised.partitioner, key, options_.partitions);
    if (partition == static_cast<uint32_t>(partition_)) continue;
    const std::string field = source_->schema[promised.column].name;
    return Invalid("the record at " + TextOf(id()) + " offset " + std::to_string(offsets_[row]) +
                   " has the " + field + " `" + key.substr(0, 100) + "`, which " +
                   std::string(NameOf(promised.partitioner)) + " puts in partition " +
                   std::to_string(partition) + " of " + std::to_string(options_.partitions) +
                   ": the topic is not partitioned by " + field +
                   " as the job's `partitioned_by` says. Name the partitioner of its producers, or leave "
                   "`partitioned_by` out, and rows find their shard by their key; where there is state "
                   "already, start afresh under another `prefix`");
  }
  return {};
}

Status Feed::CloseBlock() {
  offsets_.swap(building_offsets_);
  building_offsets_.clear();
  if (offsets_.empty()) return {};
  last_arrival_ = clock_->Steady();
  columns_.clear();
  for (ColumnBuilder& builder : builders_)
    columns_.push_back(builder.Finish());
  if (source_->partitioned_by) {
    if (Status s = CheckPartition(); !s.ok()) return s;
  }
  const std::span<const Time> times = columns_[source_->event_time]->values<int64_t>();
  ordinals_.assign(times.size(), 0);
  block_ = Batch::Make(*pool_, columns_, times, ordinals_);
  return {};
}

Status Feed::Take(const RejectSink& rejects, size_t& left) {
  position_ = offsets_[next_] + 1;
  ++next_;
  return PassRejects(rejects, left);
}

Status Feed::PassRejects(const RejectSink& rejects, size_t& left) {
  for (; left > 0 && has_rejects(); --left) {
    position_ = std::max(position_, rejects_.front().offset + 1);
    if (Status s = rejects(*this, rejects_.front()); !s.ok()) return s;
    rejects_.pop_front();
  }
  return {};
}

int64_t Feed::position() const {
  if (has_row() || !rejects_.empty()) return position_;
  const int64_t reached = std::max(decoded_to_, reader_->position());
  return options_.until ? std::max(position_, std::min(reached, *options_.until))
                        : std::max(position_, reached);
}

bool Feed::holds_back() const {
  if (has_rejects()) return true;
  if (has_row()) return false;
  if (options_.until) return !finished();
  return cut_short_ || reader_->has_known_lag();
}

bool Feed::finished() const {
  if (has_row() || has_rejects() || !options_.until) return false;
  return decoded_to_ >= *options_.until || reader_->position() >= *options_.until;
}

}  // namespace freshet
