#include "engine/log/local/local_reader.h"

#include <rocksdb/iterator.h>

#include "engine/log/local/rocks_status.h"

namespace freshet {

LocalReader::LocalReader(std::shared_ptr<LocalStore> store, PartitionId id, uint32_t topic, int64_t offset)
    : store_(std::move(store)), id_(std::move(id)), topic_(topic), position_(offset) {
  AppendChunkKey(topic, id_.partition, 0, prefix_);
  prefix_.resize(kPartitionPrefix);
}

LocalReader::~LocalReader() = default;

// A new iterator sees what was written since the last one; it costs, so one is made only when there is
// something new.
Status LocalReader::Seek() {
  cursor_ = {};
  iterator_end_ = end_;
  iterator_ = store_->NewIterator();
  std::string key;
  AppendChunkKey(topic_, id_.partition, position_, key);
  iterator_->Seek(key);
  advance_ = false;
  return FromRocks(iterator_->status(), store_->directory());
}

Status LocalReader::NextChunk() {
  if (advance_) iterator_->Next();
  advance_ = false;
  if (!iterator_->Valid()) return FromRocks(iterator_->status(), store_->directory());
  const rocksdb::Slice key = iterator_->key();
  if (key.size() != kChunkKeyBytes || !key.starts_with(prefix_)) return {};
  const rocksdb::Slice value = iterator_->value();
  if (!cursor_.Open(OffsetOfKey({key.data(), key.size()}), {value.data(), value.size()})) return Damaged();
  advance_ = true;
  return {};
}

Status LocalReader::Damaged() {
  iterator_.reset();  // whoever asks again gets the same answer
  return freshet::Damaged("a record of topic `" + id_.topic + "` in " + store_->directory());
}

Result<const RecordView*> LocalReader::Next() {
  while (true) {
    if (iterator_ == nullptr || position_ >= iterator_end_) {
      end_ = store_->End(id_);
      if (position_ >= end_) {
        at_end_ = true;
        cursor_ = {};
        iterator_.reset();  // it would pin old files
        return static_cast<const RecordView*>(nullptr);
      }
      if (Status s = Seek(); !s.ok()) return s;
    }
    if (cursor_.at_end()) {
      if (Status s = NextChunk(); !s.ok()) return s;
    }
    std::string_view bytes;
    int64_t offset = iterator_end_;
    if (!cursor_.at_end() && !cursor_.Next(offset, bytes)) return Damaged();
    if (offset < position_) continue;  // the chunk begins before what was asked for
    if (offset >= iterator_end_) {
      position_ = iterator_end_;  // what lies between was compacted away
      continue;
    }
    if (!ParseRecord(bytes, headers_, record_)) return Damaged();
    record_.offset = offset;
    position_ = offset + 1;
    at_end_ = false;
    return &record_;
  }
}

}  // namespace freshet
