#include "operators/evaluation/example_log.h"

#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {

namespace {

Status CutShort() {
  return {Code::kCorrupt, "examples kept by an evaluate are cut short in the state"};
}

}  // namespace

ExampleLog::ExampleLog(RawTable& table, std::span<const std::string> series)
    : table_(table), series_(series.size()) {
  AppendFixed(static_cast<uint32_t>(series.size()), head_);
  for (const std::string& name : series)
    AppendSized(name, head_);
}

Status ExampleLog::Load(Time bucket, RawTable::Slot& slot) {
  key_.clear();
  AppendOrdered(bucket, key_);
  return table_.Load(key_, slot);
}

// The row, and whether it is of other series.
Status ExampleLog::Find(Time bucket, RawTable::Slot& slot, bool& is_other) {
  is_other = false;
  if (latest_.known && latest_.bucket == bucket && latest_.era == table_.era()) {
    slot = latest_.slot;
    return {};
  }
  if (Status s = Load(bucket, slot); !s.ok()) return s;
  is_other = slot.present() && !slot.bytes().starts_with(head_);
  return {};
}

Status ExampleLog::Add(Time bucket, bool label, std::span<const Guess> guesses, Outcome& outcome) {
  RawTable::Slot slot;
  bool is_other = false;
  if (Status s = Find(bucket, slot, is_other); !s.ok()) return s;
  if (is_other) {
    outcome = Outcome::kOther;
    return {};
  }
  const bool is_first = !slot.present();
  const size_t record = RecordSize(series_);
  const size_t old = is_first ? head_.size() : slot.size();
  char* row = table_.Edit(slot, static_cast<uint32_t>(old + record));
  if (is_first) std::memcpy(row, head_.data(), head_.size());
  char* answers = row + old;
  *answers++ = label ? '\1' : '\0';
  char* probabilities = answers + series_;
  for (size_t i = 0; i < series_; ++i) {
    const Guess& guess = guesses[i];
    answers[i] = !guess.given ? kNothing : guess.answer ? '\1' : '\0';
    const double probability = guess.given ? guess.probability : 0;
    std::memcpy(probabilities + i * sizeof(double), &probability, sizeof(double));
  }
  const bool is_full = old + record >= head_.size() + kMost * record;
  outcome = is_first ? Outcome::kFirst : is_full ? Outcome::kFull : Outcome::kAdded;
  latest_ = {true, bucket, table_.era(), slot};
  return {};
}

// Into names_ and examples_.
Status ExampleLog::Parse(std::string_view row) {
  uint32_t series = 0;
  if (!TakeFixed(row, series)) return CutShort();
  if (series > row.size()) return CutShort();
  if (names_.size() != series) names_.resize(series);
  for (std::string& known : names_) {
    std::string_view name;
    if (!TakeSized(row, name)) return CutShort();
    known.assign(name);
  }
  const size_t record = RecordSize(series);
  if (row.size() % record != 0) return CutShort();
  if (examples_.size() < series) examples_.resize(series);
  for (std::vector<Scored>& examples : examples_)
    examples.clear();
  for (; !row.empty(); row.remove_prefix(record)) {
    const char* answers = row.data() + 1;
    const char* probabilities = answers + series;
    for (uint32_t i = 0; i < series; ++i) {
      if (answers[i] == kNothing) continue;
      Scored example{0, answers[i] != 0, row[0] != 0};
      std::memcpy(&example.probability, probabilities + i * sizeof(double), sizeof(double));
      examples_[i].push_back(example);
    }
  }
  return {};
}

Status ExampleLog::Visit(Time bucket, const Visitor& visit) {
  RawTable::Slot slot;
  if (Status s = Load(bucket, slot); !s.ok() || !slot.present()) return s;
  if (Status s = Parse(slot.bytes()); !s.ok()) return s;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (examples_[i].empty()) continue;
    if (Status s = visit(names_[i], examples_[i]); !s.ok()) return s;
  }
  return {};
}

Status ExampleLog::Empty(Time bucket) {
  RawTable::Slot slot;
  if (Status s = Load(bucket, slot); !s.ok() || !slot.present()) return s;
  std::memcpy(table_.Edit(slot, static_cast<uint32_t>(head_.size())), head_.data(), head_.size());
  return {};
}

Status ExampleLog::Erase(Time bucket) {
  latest_.known = false;
  RawTable::Slot slot;
  if (Status s = Load(bucket, slot); !s.ok()) return s;
  table_.Erase(slot);
  return {};
}

Status ExampleLog::Buckets(std::vector<Time>& buckets) {
  buckets.clear();
  return table_.Scan("", "", [&](std::string_view key, std::string_view) {
    Time start = 0;
    if (TakeOrdered(key, start)) buckets.push_back(start);
    return true;
  });
}

}  // namespace freshet
