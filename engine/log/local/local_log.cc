#include "engine/log/local/local_log.h"

#include <atomic>
#include <map>
#include <utility>

#include "engine/log/local/local_reader.h"
#include "engine/log/local/local_store.h"
#include "engine/log/local/record_format.h"

namespace freshet {

namespace {

class LocalConsumer final : public Consumer {
 public:
  LocalConsumer(std::shared_ptr<LocalStore> store, ConsumerOptions options)
      : store_(std::move(store)), options_(std::move(options)) {}
  ~LocalConsumer() override { Leave(); }

  Status Join(std::string_view placement_topic) override {
    if (options_.group.empty()) return {Code::kInvalid, "a consumer without a group cannot join one"};
    if (closed_) return Closed();
    const std::optional<LocalStore::Topic> topic = store_->Find(placement_topic);
    if (!topic) return {Code::kNotFound, "there is no topic `" + std::string(placement_topic) + "`"};
    group_ = &store_->GroupOf(options_.group);
    member_ = group_->Join(options_.instance, topic->info.partitions);
    store_->Notify();
    return {};
  }

  Result<GroupChange> Poll(Duration timeout) override {
    if (closed_) return Closed();
    if (Status s = store_->CatchUp(); !s.ok()) return s;
    GroupChange change = TakeChange();
    if (!change.empty() || timeout == 0 || AtHand()) return change;
    store_->Wait(timeout, [&] { return woken_.load() || (group_ != nullptr && group_->HasChange(member_)); });
    woken_ = false;
    return TakeChange();
  }

  void Wake() override {
    woken_ = true;
    store_->Notify();
  }

  Result<PartitionReader*> Assign(const PartitionId& id, int64_t offset) override {
    if (closed_) return Closed();
    const std::optional<LocalStore::Topic> topic = store_->Find(id.topic);
    if (Result<OffsetRange> range = store_->Range(id); !range.ok()) return range.status();
    std::unique_ptr<LocalReader>& reader = readers_[id];
    if (reader != nullptr) return Status{Code::kInternal, "partition assigned twice: " + id.topic};
    reader = std::make_unique<LocalReader>(store_, id, topic->id, offset);
    return static_cast<PartitionReader*>(reader.get());
  }

  Status Release(const PartitionId& id) override {
    if (readers_.erase(id) == 0) {
      return {Code::kInvalid,
              "partition " + std::to_string(id.partition) + " of `" + id.topic + "` is not assigned"};
    }
    return {};
  }

  Result<std::vector<std::optional<int64_t>>> Committed(std::span<const PartitionId> ids) override {
    if (options_.group.empty())
      return Status{Code::kInvalid, "a consumer without a group has no committed positions"};
    std::vector<std::optional<int64_t>> positions;
    for (const PartitionId& id : ids) {
      Result<std::optional<int64_t>> position = store_->Committed(options_.group, id);
      if (!position.ok()) return position.status();
      positions.push_back(*position);
    }
    return positions;
  }

  Status Close(Duration /*limit*/) override {
    Leave();
    readers_.clear();
    closed_ = true;
    return {};
  }

  const std::string& group() const { return options_.group; }
  bool may_commit() const { return group_ != nullptr && group_->is_member(member_); }

 private:
  static Status Closed() { return {Code::kInvalid, "the consumer was closed"}; }
  GroupChange TakeChange() { return group_ == nullptr ? GroupChange() : group_->Take(member_); }
  bool AtHand() const {
    for (const auto& [id, reader] : readers_) {
      if (reader->at_hand()) return true;
    }
    return false;
  }
  void Leave() {
    if (group_ != nullptr) group_->Leave(member_);
    group_ = nullptr;
    store_->Notify();
  }

  std::shared_ptr<LocalStore> store_;
  ConsumerOptions options_;
  Group* group_ = nullptr;
  Group::MemberId member_ = 0;
  std::map<PartitionId, std::unique_ptr<LocalReader>> readers_;
  std::atomic<bool> woken_{false};
  bool closed_ = false;
};

class LocalProducer final : public Producer {
 public:
  LocalProducer(std::shared_ptr<LocalStore> store, ProducerOptions options)
      : store_(std::move(store)), options_(std::move(options)) {}

  Status Init() override {
    epoch_ = store_->NewEpoch(options_.transactional_id);
    return {};
  }

  Status Begin() override {
    if (epoch_ == 0) return Internal("Begin before Init");
    records_.clear();
    return {};
  }

  Status Send(const OutgoingRecord& record) override {
    if (Status s = Check(record); !s.ok()) return s;
    LocalStore::Pending pending;
    pending.id = {std::string(record.topic), record.partition};
    AppendRecord(record, pending.bytes);
    queued_ += static_cast<int64_t>(pending.bytes.size());
    records_.push_back(std::move(pending));
    if (options_.transactional_id.empty() && queued_ >= options_.queue_bytes) return Flush(0);
    return {};
  }

  Status Commit(std::span<const PartitionOffset> positions, Consumer& consumer) override {
    if (positions.empty()) return {Code::kInvalid, "a transaction needs at least one position"};
    const auto& committing = static_cast<const LocalConsumer&>(consumer);
    Status written = store_->Write(records_, committing.group(), positions, [&]() -> Status {
      if (store_->Epoch(options_.transactional_id) != epoch_) {
        return {Code::kFenced,
                "another producer took over the transactional id " + options_.transactional_id};
      }
      if (!committing.may_commit())
        return {Code::kAborted, "this consumer is no member of its group any more"};
      return {};
    });
    if (!written.ok()) return written;
    Drop();
    return {};
  }

  Status Abort() override {
    Drop();
    return {};
  }

  Status Flush(Duration /*limit*/) override {
    if (!options_.transactional_id.empty()) return {};
    if (Status s = store_->Write(records_, "", {}, [] { return Status(); }); !s.ok()) return s;
    Drop();
    return {};
  }

 private:
  void Drop() {
    records_.clear();
    queued_ = 0;
  }

  Status Check(const OutgoingRecord& record) {
    if (record.topic != topic_name_) {
      const std::optional<LocalStore::Topic> topic = store_->Find(record.topic);
      if (!topic) {
        return {Code::kNotFound,
                "there is no topic `" + std::string(record.topic) + "` in " + store_->directory()};
      }
      topic_name_ = record.topic;
      topic_ = topic->info;
    }
    if (record.partition < 0 || record.partition >= topic_.partitions) {
      return {Code::kNotFound,
              "topic `" + topic_name_ + "` has no partition " + std::to_string(record.partition)};
    }
    size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    for (const Header& header : record.headers)
      bytes += header.key.size() + header.value.size();
    if (bytes > static_cast<size_t>(topic_.max_record_bytes)) {
      return {Code::kInvalid, "a record of " + std::to_string(bytes) + " bytes is too large for topic `" +
                                  topic_name_ + "` (at most " + std::to_string(topic_.max_record_bytes) +
                                  ")"};
    }
    return {};
  }

  std::shared_ptr<LocalStore> store_;
  ProducerOptions options_;
  uint64_t epoch_ = 0;
  std::vector<LocalStore::Pending> records_;
  int64_t queued_ = 0;
  std::string topic_name_;  // of the last record, with
  TopicInfo topic_;         // what is known of it
};

class LocalLog final : public Log {
 public:
  explicit LocalLog(std::shared_ptr<LocalStore> store) : store_(std::move(store)) {}
  std::string Describe() const override { return "the log in " + store_->directory(); }
  Result<std::vector<std::string>> Topics() override { return store_->Topics(); }
  Result<std::optional<TopicInfo>> Find(std::string_view topic) override {
    const std::optional<LocalStore::Topic> found = store_->Find(topic);
    return found ? std::optional<TopicInfo>(found->info) : std::nullopt;
  }
  Status Create(std::string_view topic, const TopicSettings& settings) override {
    if (store_->read_only()) return ReadOnly();
    return store_->Create(topic, settings);
  }
  Result<OffsetRange> Range(const PartitionId& id, Isolation /*isolation*/) override {
    if (Status s = store_->CatchUp(); !s.ok()) return s;
    return store_->Range(id);
  }
  Result<std::unique_ptr<Consumer>> OpenConsumer(const ConsumerOptions& options) override {
    return std::unique_ptr<Consumer>(std::make_unique<LocalConsumer>(store_, options));
  }
  Result<std::unique_ptr<Producer>> OpenProducer(const ProducerOptions& options) override {
    if (store_->read_only()) return ReadOnly();
    return std::unique_ptr<Producer>(std::make_unique<LocalProducer>(store_, options));
  }

 private:
  Status ReadOnly() const {
    return Invalid("the log in " + store_->directory() +
                   " was opened to be read; only the process that holds it can write");
  }
  std::shared_ptr<LocalStore> store_;
};

}  // namespace

Result<std::unique_ptr<Log>> OpenLocalLog(const std::string& directory, const LocalLogOptions& options) {
  Result<std::shared_ptr<LocalStore>> store = LocalStore::Open(directory, options);
  if (!store.ok()) return store.status();
  return std::unique_ptr<Log>(std::make_unique<LocalLog>(std::move(*store)));
}

}  // namespace freshet
