#pragma once
// The records of a transaction that is not committed yet, already as bytes of the log: by partition, cut into
// chunks that lack only their offsets. Internal to engine/log/local; one thread.
#include <cstdint>
#include <string>
#include <vector>

#include "engine/log/log.h"

namespace freshet {

class PendingRecords {
 public:
  struct Chunk {
    std::string entries;  // no gaps between them
    int64_t records = 0;
  };
  struct Part {
    PartitionId id;
    uint32_t topic = 0;  // its number in the log
    std::vector<Chunk> chunks;
    size_t used = 0;  // so many of them hold records; the others keep their room for the next transaction
  };

  // The index of the topic's first partition for Add, the others follow; valid for ever. Once for each topic.
  size_t AddTopic(const std::string& name, uint32_t topic, int32_t partitions);
  void Add(size_t part, const OutgoingRecord& record);
  void Clear();
  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<size_t>& touched() const { return touched_; }  // which of them hold records
  size_t bytes() const { return bytes_; }

 private:
  std::vector<Part> parts_;
  std::vector<size_t> touched_;
  size_t bytes_ = 0;
};

}  // namespace freshet
