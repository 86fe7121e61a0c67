#include "engine/log/local/local_log.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "engine/log/local/local_reader.h"
#include "engine/log/local/local_store.h"
#include "engine/log/local/pending_records.h"

namespace freshet {

namespace {

// How often a reader beside the writer looks for news: seldom once there was none for a while.
constexpr Duration kLookFirst = 20 * kMillisecond;
constexpr Duration kLookAtLast = 250 * kMillisecond;

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
    const bool news = !change.empty() || AtHand();
    if (news) look_after_ = kLookFirst;
    if (news || timeout == 0) return change;
    if (Status s = WaitForNews(timeout); !s.ok()) return s;
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
  Status WaitForNews(Duration timeout) {
    const auto done = [&] { return woken_.load() || (group_ != nullptr && group_->HasChange(member_)); };
    if (!store_->read_only()) {
      store_->Wait(timeout, done);
      return {};
    }
    // The writer is another process, which tells nobody: one has to look.
    while (timeout > 0 && !done() && !AtHand()) {
      const Duration step = std::min(timeout, look_after_);
      look_after_ = std::min(2 * look_after_, kLookAtLast);
      store_->Wait(step, done);
      timeout -= step;
      if (Status s = store_->CatchUp(); !s.ok()) return s;
    }
    if (AtHand()) look_after_ = kLookFirst;
    return {};
  }
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
  Duration look_after_ = kLookFirst;
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
    records_.Clear();
    return {};
  }

  Status Send(const OutgoingRecord& record) override {
    if (Status s = Check(record); !s.ok()) return s;
    if (options_.transactional_id.empty() && records_.bytes() >= static_cast<size_t>(options_.queue_bytes)) {
      if (Status s = Flush(0); !s.ok()) return s;
    }
    records_.Add(topic_->first_part + static_cast<size_t>(record.partition), record);
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
    records_.Clear();
    return {};
  }

  Status Abort() override {
    records_.Clear();
    return {};
  }

  Status Flush(Duration /*limit*/) override {
    if (!options_.transactional_id.empty()) return {};
    if (Status s = store_->Write(records_, "", {}, [] { return Status(); }); !s.ok()) return s;
    records_.Clear();
    return {};
  }

 private:
  struct Topic {
    TopicInfo info;
    size_t first_part = 0;  // of records_
  };
  // Makes topic_ the record's.
  Status Check(const OutgoingRecord& record) {
    if (topic_ == nullptr || record.topic != *topic_name_) {
      if (Status s = Learn(record.topic); !s.ok()) return s;
    }
    if (record.partition < 0 || record.partition >= topic_->info.partitions) {
      return {Code::kNotFound,
              "topic `" + *topic_name_ + "` has no partition " + std::to_string(record.partition)};
    }
    size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    for (const Header& header : record.headers)
      bytes += header.key.size() + header.value.size();
    if (bytes > static_cast<size_t>(topic_->info.max_record_bytes)) {
      const Code refused = options_.transactional_id.empty() ? Code::kInvalid : Code::kUnwritable;
      return {refused, "a record of " + std::to_string(bytes) + " bytes is too large for topic `" +
                           *topic_name_ + "` (at most " + std::to_string(topic_->info.max_record_bytes) +
                           ")"};
    }
    return {};
  }

  Status Learn(std::string_view name) {
    auto known = topics_.find(name);
    if (known == topics_.end()) {
      const std::optional<LocalStore::Topic> topic = store_->Find(name);
      if (!topic) {
        return {Code::kNotFound, "there is no topic `" + std::string(name) + "` in " + store_->directory()};
      }
      known = topics_.try_emplace(std::string(name)).first;
      known->second.info = topic->info;
      known->second.first_part = records_.AddTopic(known->first, topic->id, topic->info.partitions);
    }
    topic_name_ = &known->first;
    topic_ = &known->second;
    return {};
  }

  std::shared_ptr<LocalStore> store_;
  ProducerOptions options_;
  uint64_t epoch_ = 0;
  PendingRecords records_;
  std::map<std::string, Topic, std::less<>> topics_;  // that a record was sent to
  const std::string* topic_name_ = nullptr;           // in topics_, of the last record
  const Topic* topic_ = nullptr;
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
