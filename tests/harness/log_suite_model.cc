// Random operations on a log beside a naive model of it.
#include <map>

#include "engine/base/random.h"
#include "tests/harness/log_suite.h"

namespace freshet {

namespace {

constexpr int32_t kPartitions = 2;

class LogModel {
 public:
  LogModel(LogFixture& fixture, uint64_t seed)
      : fixture_(fixture),
        session_(fixture),
        random_(seed),
        transactional_(session_.Topic("transactional", kPartitions)),
        plain_(session_.Topic("plain", kPartitions)),
        placement_(session_.Topic("placement")),
        group_(fixture.Name("group")),
        id_(fixture.Name("producer")) {
    Open();
  }

  void Step() {
    switch (random_.Below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return SendInTransaction();
      case 4:
      case 5:
      case 6:
        return End(true);
      case 7:
        return End(false);
      case 8:
      case 9:
      case 10:
        return SendPlain();
      case 11:
      case 12:
        return Assign();
      case 13:
      case 14:
      case 15:
      case 16:
        return Read();
      case 17:
        return CheckRange();
      case 18:
        return CheckPosition();
      default:
        if (random_.Below(4) == 0) return ReopenAll();
        return Replace();
    }
  }

  void Finish() {
    End(true);
    for (const auto& [id, records] : committed_) {
      const std::vector<OwnedRecord> read = session_.ReadAll(id.topic, id.partition);
      ASSERT_EQ(ValuesOf(read), records);
      for (size_t i = 0; i < read.size(); ++i)
        Learn(id, i, read[i].offset);
    }
  }

 private:
  struct Reading {
    PartitionReader* reader = nullptr;
    size_t next = 0;  // index into the model's records
  };

  void Open() {
    member_ = session_.Member(group_, placement_);
    producer_ = session_.Transactional(id_);
    plain_producer_ = session_.Plain();
    consumer_ = session_.Reader(Isolation::kCommitted, 64 << 10);
  }

  PartitionId Any() {
    return {random_.Below(2) == 0 ? transactional_ : plain_,
            static_cast<int32_t>(random_.Below(kPartitions))};
  }
  std::string Value() { return std::to_string(++sent_) + std::string(random_.Below(300), 'v'); }

  void SendInTransaction() {
    if (!open_) Must(producer_->Begin());
    open_ = true;
    for (uint64_t n = random_.Below(30); n > 0; --n) {
      const PartitionId id{transactional_, static_cast<int32_t>(random_.Below(kPartitions))};
      pending_.emplace_back(id, Value());
      Must(producer_->Send(MakeRecord(id.topic, id.partition, std::nullopt, pending_.back().second)));
    }
  }

  void End(bool commit) {
    if (!open_) return;
    open_ = false;
    if (commit) {
      const int64_t position = static_cast<int64_t>(random_.Below(1'000));
      Must(producer_->Commit(std::vector<PartitionOffset>{{{plain_, 0}, position}}, *member_));
      position_ = position;
      for (auto& [id, value] : pending_)
        committed_[id].push_back(std::move(value));
    } else {
      Must(producer_->Abort());
    }
    pending_.clear();
  }

  void SendPlain() {
    for (uint64_t n = random_.Below(30); n > 0; --n) {
      const PartitionId id{plain_, static_cast<int32_t>(random_.Below(kPartitions))};
      const std::string value = Value();
      Must(plain_producer_->Send(MakeRecord(id.topic, id.partition, "key", value)));
      committed_[id].push_back(value);
    }
    Must(plain_producer_->Flush(fixture_.patience()));
  }

  void Assign() {
    const PartitionId id = Any();
    if (readings_.erase(id) == 1) Must(consumer_->Release(id));
    const std::vector<int64_t>& known = offsets_[id];
    Reading reading;
    reading.next = known.empty() ? 0 : random_.Below(known.size());
    reading.reader = Must(consumer_->Assign(id, known.empty() ? 0 : known[reading.next]));
    readings_[id] = reading;
  }

  void Read() {
    const PartitionId id = Any();
    const auto found = readings_.find(id);
    if (found == readings_.end()) return;
    Reading& reading = found->second;
    const std::vector<std::string>& records = committed_[id];
    const size_t until = std::min(records.size(), reading.next + random_.Below(60));
    const bool came = session_.PollUntil(*consumer_, [&] {
      while (reading.next < until) {
        const RecordView* record = Must(reading.reader->Next());
        if (record == nullptr) return false;
        EXPECT_EQ(record->value, records[reading.next]);
        Learn(id, reading.next++, record->offset);
      }
      return true;
    });
    EXPECT_TRUE(came) << reading.next << " of " << until;
    if (reading.next < records.size()) return;
    EXPECT_TRUE(session_.PollUntil(*consumer_, [&] {
      EXPECT_EQ(Must(reading.reader->Next()), nullptr);
      return reading.reader->at_end();
    }));
  }

  void Learn(const PartitionId& id, size_t index, int64_t offset) {
    std::vector<int64_t>& known = offsets_[id];
    if (index < known.size()) {
      EXPECT_EQ(known[index], offset);
      return;
    }
    ASSERT_EQ(index, known.size());
    if (!known.empty()) {
      EXPECT_GT(offset, known.back());
    }
    known.push_back(offset);
  }

  void CheckRange() {
    const PartitionId id = Any();
    const OffsetRange stable = session_.Range(id.topic, id.partition, Isolation::kCommitted);
    const OffsetRange high = session_.Range(id.topic, id.partition, Isolation::kUncommitted);
    EXPECT_EQ(stable.begin, 0);
    EXPECT_LE(stable.end, high.end);
    EXPECT_GE(high.end, static_cast<int64_t>(committed_[id].size()));
    if (!offsets_[id].empty()) {
      EXPECT_GT(stable.end, offsets_[id].back());
    }
  }

  void CheckPosition() {
    EXPECT_EQ(Must(member_->Committed(std::vector<PartitionId>{{plain_, 0}})).front(), position_);
  }

  void Replace() {
    std::unique_ptr<Producer> older = std::move(producer_);
    producer_ = session_.Transactional(id_);
    Status fenced = open_ ? Status() : older->Begin();
    if (fenced.ok()) fenced = older->Commit(std::vector<PartitionOffset>{{{plain_, 0}, 1}}, *member_);
    EXPECT_EQ(fenced.code(), Code::kFenced) << fenced.message();
    pending_.clear();
    open_ = false;
  }

  void ReopenAll() {
    readings_.clear();
    Must(consumer_->Close(fixture_.patience()));
    Must(member_->Close(fixture_.patience()));
    consumer_.reset();
    member_.reset();
    producer_.reset();
    plain_producer_.reset();
    pending_.clear();
    open_ = false;
    fixture_.Reopen();
    Open();
  }

  LogFixture& fixture_;
  LogSession session_;
  Random random_;
  std::string transactional_;
  std::string plain_;
  std::string placement_;
  std::string group_;
  std::string id_;
  std::unique_ptr<Consumer> member_;
  std::unique_ptr<Consumer> consumer_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Producer> plain_producer_;
  uint64_t sent_ = 0;
  bool open_ = false;
  std::vector<std::pair<PartitionId, std::string>> pending_;
  std::map<PartitionId, std::vector<std::string>> committed_;
  std::map<PartitionId, std::vector<int64_t>> offsets_;  // learnt from reading
  std::map<PartitionId, Reading> readings_;
  std::optional<int64_t> position_;
};

}  // namespace

void RunLogModel(LogFixture& fixture, uint64_t seed, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  LogModel model(fixture, seed);
  for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    model.Step();
  }
  model.Finish();
}

}  // namespace freshet
