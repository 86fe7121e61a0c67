#pragma once
// One partition of the embedded log, read in order. Internal to engine/log/local; one thread.
#include <memory>
#include <vector>

#include "engine/log/local/local_store.h"
#include "engine/log/local/record_format.h"

namespace freshet {

class LocalReader final : public PartitionReader {
 public:
  LocalReader(std::shared_ptr<LocalStore> store, PartitionId id, uint32_t topic, int64_t offset);
  ~LocalReader() override;
  Result<const RecordView*> Next() override;
  int64_t position() const override { return position_; }
  // Whatever is in the log is at hand.
  bool has_known_lag() const override { return false; }
  bool at_end() const override { return at_end_; }
  int64_t end_seen() const override { return end_; }
  bool at_hand() const { return position_ < store_->End(id_); }
  const PartitionId& id() const { return id_; }

 private:
  Status Seek();
  // Makes cursor_ stand on entries, or at its end where the partition has no more below iterator_end_.
  Status NextChunk();
  Status Damaged();

  std::shared_ptr<LocalStore> store_;
  PartitionId id_;
  std::string prefix_;
  uint32_t topic_;
  int64_t position_;
  int64_t end_ = -1;
  bool at_end_ = false;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  bool advance_ = false;      // the iterator stands on cursor_'s chunk
  int64_t iterator_end_ = 0;  // the iterator's snapshot holds everything below
  ChunkCursor cursor_;        // into the iterator's value
  RecordView record_;
  std::vector<Header> headers_;
};

}  // namespace freshet
