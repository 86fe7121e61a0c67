#pragma once
// One assigned partition, read from a queue of its own. One thread, the consumer's.
//
// Always: next_ only rises; what librdkafka gives below it (after a pause or a rebalance it may fetch again
// from earlier) is dropped.
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/log/kafka/kafka_rouser.h"
#include "engine/log/log.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;

namespace freshet {

// What a partition may hold fetched and untaken, as librdkafka counts it.
struct PrefetchLimits {
  int64_t records = 0;
  int64_t bytes = 0;  // of keys and values
  int64_t fetch = 0;  // bytes that one request asks for, and may come on top
};

struct KafkaReaderOptions {
  PrefetchLimits limits;
  bool headers = true;  // RecordView::headers is filled
  int event = -1;       // a descriptor that is written to when something comes
};

class KafkaReader final : public PartitionReader {
 public:
  // From `offset` on; `end` is the partition's end as asked for just now. `rouser` outlives this.
  KafkaReader(rd_kafka_s* handle, PartitionId id, int64_t offset, int64_t end, KafkaRouser& rouser,
              const KafkaReaderOptions& options);
  ~KafkaReader() override;
  KafkaReader(const KafkaReader&) = delete;
  KafkaReader& operator=(const KafkaReader&) = delete;

  Status Start();  // assigns
  Status Stop();   // gives the partition back, drops what was fetched

  Result<const RecordView*> Next() override;
  int64_t position() const override { return next_; }
  bool has_known_lag() const override;
  bool at_end() const override { return at_end_; }
  int64_t end_seen() const override;

  // Something came since Next last found nothing (or was never called).
  bool wants_call() const;

 private:
  void View(rd_kafka_message_s& message);
  void ViewHeaders(rd_kafka_message_s& message);
  void Drop();
  Status TakeError(const rd_kafka_message_s& message);
  Status CheckMissing();
  int64_t FetchedEnd() const;
  void Rouse();

  rd_kafka_s* handle_;
  PartitionId id_;
  rd_kafka_queue_s* queue_;
  int64_t next_;
  int64_t end_;
  bool assigned_ = false;
  bool at_end_ = false;
  bool drained_ = true;  // Next last found nothing
  KafkaRouser* rouser_;
  KafkaReaderOptions options_;
  PrefetchLimits taken_;      // since Next last found nothing
  int32_t broker_ = -1;       // that the first of these came from
  Duration quiet_since_ = 0;  // when that was, or the client was last roused; 0: there was a record since
  std::optional<Duration> missing_since_;
  rd_kafka_message_s* current_ = nullptr;
  RecordView record_;
  std::vector<Header> headers_;
};

}  // namespace freshet
