#pragma once
// The log: what holds topics. Three implementations, one contract (tests/engine/log runs one suite over all):
// Kafka (log/kafka), the embedded log of one directory (log/local), and a seeded one in memory for tests
// (log/simulated).
//
// Threads: a Log may be used from any thread; a Consumer, its readers, and a Producer by one thread each.
// Always: a transaction's records and positions become visible together or never; readers see committed
// records only (unless opened to read uncommitted), in offset order, each once; offsets rise but need not be
// dense.
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace freshet {

struct PartitionId {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const PartitionId&) const = default;
};
std::string TextOf(const PartitionId& id);  // "flights.arrivals[2]", for messages

struct PartitionOffset {
  PartitionId id;
  int64_t offset = 0;  // of the next record to read
  bool operator==(const PartitionOffset&) const = default;
};

struct Header {
  std::string_view key;
  std::string_view value;
};

// A record as read. Views are valid until the next call on the same reader.
struct RecordView {
  int64_t offset = 0;
  Time timestamp = 0;  // microseconds; logs may cut it to milliseconds
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // absent: a tombstone
  std::span<const Header> headers;        // may be empty where ConsumerOptions::headers is false
};

// A record to write. Views need to live until Send returns.
struct OutgoingRecord {
  std::string_view topic;
  int32_t partition = 0;
  Time timestamp = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const Header> headers;
};

struct TopicSettings {
  int32_t partitions = 1;
  bool compacted = false;             // keep the last record of each key; else keep all
  std::optional<Duration> retention;  // absent: the log's default; kMaxTime: for ever
  int16_t replication = -1;           // the broker's default
};
struct TopicInfo {
  int32_t partitions = 0;
  int64_t max_record_bytes = 0;  // key, value and headers of one record
  bool compacted = false;
  Duration retention = kMaxTime;  // records whose timestamp is older are deleted; kMaxTime: never
};

enum class Isolation : uint8_t { kCommitted, kUncommitted };

struct OffsetRange {
  int64_t begin = 0;  // first offset still there
  int64_t end =
      0;  // one past the last: the last stable offset for kCommitted, the high watermark for kUncommitted
};

// One assigned partition. Owned by its Consumer; dead after Release of that partition.
class PartitionReader {
 public:
  virtual ~PartitionReader() = default;
  // The next record, or null when none is at hand now. Never blocks. A record below the offset asked for at
  // assignment, or at or below one already returned, is never returned.
  virtual Result<const RecordView*> Next() = 0;
  // The offset after everything returned so far; at the end also past markers and aborted tails.
  virtual int64_t position() const = 0;
  // Whether records are known to lie between the position and the end last seen, none of them at hand now.
  // Others must wait for this partition while it is so. False once the end was reached since the last record.
  virtual bool has_known_lag() const = 0;
  // Whether the end was reached since the last record (or since assignment).
  virtual bool at_end() const = 0;
  // The end last seen (committed), or -1 before the first answer.
  virtual int64_t end_seen() const = 0;
};

struct ConsumerOptions {
  std::string group;     // empty: no group; Assign is all there is
  std::string instance;  // static membership where not empty
  Duration session_timeout = 10 * kSecond;
  int64_t prefetch_bytes = 16 << 20;
  // How many partitions are to be assigned at once: prefetch_bytes is for all of them together. A partition
  // has no less than 64 KiB, so very many take more.
  int32_t partitions = 1;
  bool headers = true;  // records are wanted with their headers
  Isolation isolation = Isolation::kCommitted;
  bool merges = true;  // small fetch waits, since one partition holds up others
};

// What became of this member's share of the subscribed topic since the last Poll.
struct GroupChange {
  std::vector<int32_t> assigned;
  std::vector<int32_t> revoked;
  bool lost = false;  // the member was thrown out: nothing of the present epoch may be committed
  bool empty() const { return assigned.empty() && revoked.empty() && !lost; }
};

class Consumer {
 public:
  virtual ~Consumer() = default;
  // Becomes a member of the group by subscribing to one topic, whose partitions stand for shares of the work;
  // records in it are not read. Which partitions are then read is the caller's, by Assign.
  virtual Status Join(std::string_view placement_topic) = 0;
  // Membership changes since the last call. Call at least every second or so; blocks up to `timeout` until
  // there is a change, or Wake was called, or anything is at hand in an assigned partition whose reader had
  // nothing when last asked. (Where the caller left records at hand it knows of them, and may be let wait.)
  virtual Result<GroupChange> Poll(Duration timeout) = 0;
  // May be called from any thread: ends a Poll.
  virtual void Wake() = 0;
  // Reads `id` from `offset` on. The reader lives until Release(id) or the consumer's end.
  virtual Result<PartitionReader*> Assign(const PartitionId& id, int64_t offset) = 0;
  virtual Status Release(const PartitionId& id) = 0;
  // The group's committed positions, stable (no transaction pending on them); absent where there is none.
  virtual Result<std::vector<std::optional<int64_t>>> Committed(std::span<const PartitionId> ids) = 0;
  // Leaves the group within `limit` and closes. Further calls fail.
  virtual Status Close(Duration limit) = 0;
};

struct ProducerOptions {
  std::string transactional_id;  // empty: plain records, visible once flushed, no Begin or Commit
  Duration transaction_timeout = 10 * kSecond;
  int64_t queue_bytes = 32 << 20;
};

class Producer {
 public:
  virtual ~Producer() = default;
  // Takes the transactional id: every earlier holder is fenced, its open transaction aborted.
  virtual Status Init() = 0;
  virtual Status Begin() = 0;
  // Queues a record; may wait for room. An error makes the transaction unfit for Commit. Errors of a
  // transaction, here and from Commit: kAborted where another try may do better, kUnwritable where the log
  // will never take the record, kInvalid where it refuses the writer, whatever is written.
  virtual Status Send(const OutgoingRecord& record) = 0;
  // Commits everything sent since Begin and `positions` (at least one) for `consumer`'s group, as its member
  // at this moment. kAborted: nothing was committed, Abort and repeat. kUnwritable: nor will it be, as long
  // as it holds a record that was sent. kFenced: nothing was committed and never will be by this producer.
  // kInDoubt: retried until the transaction's time-out without an answer; destroy this producer, Init a new
  // one with the same id, and see what the log holds.
  virtual Status Commit(std::span<const PartitionOffset> positions, Consumer& consumer) = 0;
  virtual Status Abort() = 0;
  // Plain producers: waits until all that was sent is durable.
  virtual Status Flush(Duration limit) = 0;
};

class Log {
 public:
  virtual ~Log() = default;
  virtual std::string Describe() const = 0;  // for messages: "the broker 127.0.0.1:9092", "the log in DIR"
  virtual Result<std::vector<std::string>> Topics() = 0;
  virtual Result<std::optional<TopicInfo>> Find(std::string_view topic) = 0;         // nothing: no such topic
  virtual Status Create(std::string_view topic, const TopicSettings& settings) = 0;  // kConflict: exists
  virtual Result<OffsetRange> Range(const PartitionId& id, Isolation isolation) = 0;
  virtual Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) = 0;
  virtual Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) = 0;
};

}  // namespace freshet
