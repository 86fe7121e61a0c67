#pragma once
// A partition in memory whose records come to hand when a test says so, and a source that reads such ones.
// One thread.
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/log/log.h"
#include "engine/plan/plan.h"

namespace freshet {

class FakePartition final : public PartitionReader {
 public:
  // Offsets rise by one; `gap` leaves some out, as markers and aborted records do.
  void Add(std::string value, int64_t gap = 0) {
    end_ += gap;
    records_.push_back({end_++, std::move(value), false});
  }
  void AddTombstone() { records_.push_back({end_++, "", true}); }
  // Lets the next `count` records come to hand.
  void Deliver(size_t count) {
    at_hand_ += count < records_.size() - at_hand_ ? count : records_.size() - at_hand_;
  }
  void DeliverAll() { at_hand_ = records_.size(); }
  bool delivered_all() const { return at_hand_ == records_.size(); }
  // Markers after the last record: the end lies past them.
  void EndAt(int64_t end) { end_ = end; }

  size_t asked() const { return asked_; }
  // Called by each Next, before it looks.
  void OnAsked(std::function<void()> hook) { hook_ = std::move(hook); }

  Result<const RecordView*> Next() override {
    ++asked_;
    if (hook_) hook_();
    if (next_ == at_hand_) return static_cast<const RecordView*>(nullptr);
    const Record& record = records_[next_++];
    view_ = {};
    view_.offset = record.offset;
    view_.timestamp = 7;
    if (!record.tombstone) view_.value = record.value;
    return &view_;
  }
  int64_t position() const override {
    if (next_ == records_.size()) return end_;
    return next_ == 0 ? 0 : records_[next_ - 1].offset + 1;
  }
  bool has_known_lag() const override { return next_ == at_hand_ && next_ < records_.size(); }
  bool at_end() const override { return next_ == records_.size(); }
  int64_t end_seen() const override { return end_; }

 private:
  struct Record {
    int64_t offset;
    std::string value;
    bool tombstone;
  };
  std::vector<Record> records_;
  size_t at_hand_ = 0;
  size_t next_ = 0;
  size_t asked_ = 0;
  std::function<void()> hook_;
  int64_t end_ = 0;
  RecordView view_;
};

// {t: timestamp in ms, v: int64}
inline PlannedSource FakeSource(std::string name, Role role) {
  PlannedSource source;
  source.name = std::move(name);
  source.topic = source.name;
  source.role = role;
  source.format = FindFormat("json");
  InputField time;
  time.name = "t";
  time.path = {"t"};
  time.type = Type::kTimestamp;
  time.unit = TimeUnit::kMilliseconds;
  time.required = true;
  InputField value;
  value.name = "v";
  value.path = {"v"};
  value.type = Type::kInt64;
  source.fields = {time, value};
  source.schema = Schema({{"t", Type::kTimestamp, {}}, {"v", Type::kInt64, {}}});
  return source;
}

inline std::string FakeRow(int64_t milliseconds, int64_t value) {
  return "{\"t\": " + std::to_string(milliseconds) + ", \"v\": " + std::to_string(value) + "}";
}

}  // namespace freshet
