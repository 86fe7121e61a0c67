#include "engine/log/local/local_reader.h"

#include <rocksdb/iterator.h>

#include "engine/log/local/record_format.h"
#include "engine/log/local/rocks_status.h"

namespace freshet {

LocalReader::LocalReader(std::shared_ptr<LocalStore> store, PartitionId id, uint32_t topic, int64_t offset)
    : store_(std::move(store)), id_(std::move(id)), topic_(topic), position_(offset) {
  AppendRecordKey(topic, id_.partition, 0, prefix_);
  prefix_.resize(kPartitionPrefix);
}

LocalReader::~LocalReader() = default;

// A new iterator sees what was written since the last one; it costs, so one is made only when there is
// something new.
Status LocalReader::Seek() {
  iterator_end_ = end_;
  iterator_ = store_->NewIterator();
  std::string key;
  AppendRecordKey(topic_, id_.partition, position_, key);
  iterator_->Seek(key);
  advance_ = false;
  return FromRocks(iterator_->status(), store_->directory());
}

Result<const RecordView*> LocalReader::Next() {
  if (iterator_ == nullptr || position_ >= iterator_end_) {
    end_ = store_->End(id_);
    if (position_ >= end_) {
      at_end_ = true;
      iterator_.reset();  // it would pin old files
      return static_cast<const RecordView*>(nullptr);
    }
    if (Status s = Seek(); !s.ok()) return s;
  }
  if (advance_) iterator_->Next();
  advance_ = false;
  if (!iterator_->Valid() || !iterator_->key().starts_with(prefix_) ||
      iterator_->key().size() != prefix_.size() + 8 ||
      OffsetOfKey({iterator_->key().data(), iterator_->key().size()}) >= iterator_end_) {
    if (Status s = FromRocks(iterator_->status(), store_->directory()); !s.ok()) return s;
    position_ = iterator_end_;  // what lies between was compacted away
    return Next();
  }
  const rocksdb::Slice value = iterator_->value();
  if (!ParseRecord({value.data(), value.size()}, headers_, record_)) {
    return Status{Code::kCorrupt,
                  "a record of topic `" + id_.topic + "` in " + store_->directory() + " is damaged"};
  }
  record_.offset = OffsetOfKey({iterator_->key().data(), iterator_->key().size()});
  position_ = record_.offset + 1;
  at_end_ = false;
  advance_ = true;
  return &record_;
}

}  // namespace freshet
