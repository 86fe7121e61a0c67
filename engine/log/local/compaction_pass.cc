#include "engine/log/local/compaction_pass.h"

#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "engine/log/local/rocks_status.h"

namespace freshet {

namespace {

constexpr size_t kMostMerged = 10'000;     // chunks that one step takes away
constexpr size_t kMostEntryOverhead = 20;  // gap and size

std::unique_ptr<rocksdb::Iterator> NewIterator(rocksdb::DB& db) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(db.NewIterator(read));
}

}  // namespace

CompactionPass::CompactionPass(rocksdb::DB& db, const std::string& directory, const Range& range,
                               Time tombstones_since, size_t most_key_bytes)
    : db_(db),
      directory_(directory),
      range_(range),
      tombstones_since_(tombstones_since),
      most_key_bytes_(most_key_bytes) {}

Status CompactionPass::Run(const std::atomic<bool>& stop) {
  if (Status s = Learn(stop); !s.ok()) return s;
  return Rewrite(stop);
}

Status CompactionPass::Damaged() const {
  return {Code::kCorrupt, "a record in the log in " + directory_ + " is damaged; it is not compacted"};
}

Status CompactionPass::ReadChunk(rocksdb::Iterator& it, bool& more) {
  more = false;
  if (!it.Valid()) return FromRocks(it.status(), directory_);
  std::string prefix;
  AppendChunkKey(range_.topic, range_.partition, 0, prefix);
  const rocksdb::Slice key = it.key();
  if (key.size() != kChunkKeyBytes || !key.starts_with({prefix.data(), kPartitionPrefix})) return {};
  const int64_t last = OffsetOfKey({key.data(), key.size()});
  if (last >= range_.to) return {};
  ChunkCursor cursor;
  if (!cursor.Open(last, {it.value().data(), it.value().size()})) return Damaged();
  entries_.clear();
  while (!cursor.at_end()) {
    Entry& entry = entries_.emplace_back();
    if (!cursor.Next(entry.offset, entry.record)) return Damaged();
  }
  more = true;
  return {};
}

Status CompactionPass::Learn(const std::atomic<bool>& stop) {
  const std::unique_ptr<rocksdb::Iterator> it = NewIterator(db_);
  std::string begin;
  AppendChunkKey(range_.topic, range_.partition, range_.from, begin);
  bool more = true;
  for (it->Seek(begin); !stop.load(); it->Next()) {
    if (Status s = ReadChunk(*it, more); !s.ok()) return s;
    if (!more) return {};
    for (const Entry& entry : entries_) {
      if (!ParseRecord(entry.record, headers_, record_)) return Damaged();
      if (record_.key) last_.Put(*record_.key, entry.offset);
    }
    if (last_.bytes() < most_key_bytes_) continue;
    range_.to = OffsetOfKey({it->key().data(), it->key().size()}) + 1;
    return {};
  }
  return {};
}

Status CompactionPass::Rewrite(const std::atomic<bool>& stop) {
  const std::unique_ptr<rocksdb::Iterator> it = NewIterator(db_);
  std::string begin;
  AppendChunkKey(range_.topic, range_.partition, 0, begin);
  bool more = true;
  for (it->Seek(begin); !stop.load(); it->Next()) {
    if (Status s = ReadChunk(*it, more); !s.ok()) return s;
    if (!more) return WriteMerged();
    Result<bool> all_stay = DropSuperseded();
    if (!all_stay.ok()) return all_stay.status();
    const bool stays = *all_stay && it->value().size() > kChunkBytes / 2;
    size_t bytes = out_.size();
    for (const Entry& entry : entries_)
      bytes += entry.record.size() + kMostEntryOverhead;
    const bool fits = bytes <= kChunkBytes && merged_.size() < kMostMerged;
    if (!merged_.empty() && (stays || !fits)) {
      if (Status s = WriteMerged(); !s.ok()) return s;
    }
    if (stays) continue;
    merged_.push_back(it->key().ToString());
    changed_ = changed_ || !*all_stay || merged_.size() > 1;
    for (const Entry& entry : entries_)
      Append(entry);
  }
  return {};
}

Result<bool> CompactionPass::DropSuperseded() {
  const size_t records = entries_.size();
  size_t kept = 0;
  for (const Entry& entry : entries_) {
    Result<bool> stays = Stays(entry);
    if (!stays.ok()) return stays.status();
    if (*stays) entries_[kept++] = entry;
  }
  entries_.resize(kept);
  live_ += static_cast<int64_t>(kept);
  return kept == records;
}

Result<bool> CompactionPass::Stays(const Entry& entry) {
  if (!ParseRecord(entry.record, headers_, record_)) return Damaged();
  if (!record_.key) return true;
  const std::optional<int64_t> last = last_.Find(*record_.key);
  if (last && *last > entry.offset) return false;
  if (entry.offset + 1 == range_.to) return true;  // the partition's last tells which offset comes next
  return record_.value.has_value() || record_.timestamp >= tombstones_since_;
}

void CompactionPass::Append(const Entry& entry) {
  if (out_.empty()) first_ = next_ = entry.offset;
  AppendEntry(entry.offset - next_, entry.record, out_);
  next_ = entry.offset + 1;
}

// The merged chunk takes the key of the last one that went into it.
Status CompactionPass::WriteMerged() {
  if (changed_) {
    rocksdb::WriteBatch batch;
    rocksdb::Status written;
    const std::string& key = merged_.back();
    for (const std::string& gone : merged_) {
      if (written.ok() && (out_.empty() || gone != key)) written = batch.Delete(gone);
    }
    if (!out_.empty()) {
      std::string header;
      AppendChunkHeader(OffsetOfKey(key) - first_, header);
      const rocksdb::Slice name(key);
      const rocksdb::Slice value[] = {header, out_};
      if (written.ok()) written = batch.Put(rocksdb::SliceParts(&name, 1), rocksdb::SliceParts(value, 2));
    }
    if (written.ok()) written = db_.Write({}, &batch);
    if (Status s = FromRocks(written, directory_); !s.ok()) return s;
  }
  out_.clear();
  merged_.clear();
  changed_ = false;
  return {};
}

}  // namespace freshet
