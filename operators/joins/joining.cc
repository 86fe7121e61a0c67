#include "operators/joins/joining.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/operator/state_key.h"
#include "operators/joins/join_entry.h"
#include "operators/joins/joined_rows.h"
#include "operators/joins/kept_rows.h"

namespace freshet {
namespace {

constexpr std::string_view kEntries = "entries";
// No entry has it: a row of EarlyLabels, from the first of them on.
constexpr std::string_view kEarlyLabels = "";

using State = JoinEntry::State;
using Header = JoinEntry::Header;

struct EarlyLabels {  // those that wait for their predictions
  int64_t count = 0;
  Time latest = kMinTime;  // of all there have ever been, so that it does not hang on when some leave
};

struct Label {
  Time time = 0;
  uint64_t bits = 0;
  std::string_view keep;  // as KeptRows has it; lent
};

// Beside each other in the state: timers that only clean up fall due together, as they may cut batches. Later
// than the expiry, and so than the wait, whose timer goes when a label ends it: never one with that.
Time CleanUpTime(Time expiry, Duration remember) {
  const Duration grain = std::max<Duration>(remember / 64, 1);
  return FloorTo(expiry, grain) + grain;
}

class Joining final : public Operator {
 public:
  Joining(std::shared_ptr<const JoinPlan> plan, OperatorContext& context)
      : plan_(std::move(plan)),
        context_(context),
        entries_(context.keyed_state(kEntries)),
        rows_(plan_->from, ReadColumns(*plan_, context), "from", context.keyed_state(KeptRows::Table().name)),
        keep_(plan_->keep, ReadKept(*plan_, context), "keep", context.keyed_state(KeptRows::Table().name)),
        joined_(rows_, keep_, plan_->label->type(), ReadOwn(*plan_, context, 0), context.pool()),
        timed_out_(rows_, keep_, plan_->label->type(), ReadOwn(*plan_, context, plan_->timed_out_port()),
                   context.pool()),
        unmatched_(context.counter("labels_unmatched")),
        repeated_(context.counter("labels_repeated")),
        late_(context.counter("labels_late")),
        null_(context.counter("labels_null")),
        timeouts_(context.counter("timed_out")),
        corrected_(context.counter("corrected")),
        early_(entries_.shards()) {}

  Status Open(uint32_t shard) override;
  Status Process(size_t port, const Batch& in, Emitter& out) override;
  Status OnTimer(const DueTimer& timer, Emitter& out) override;
  // A label that waits may be that of a prediction no later than it and `labels_early`.
  Time EmitsAtOnceUntil(size_t port) const override {
    if (port != 0) return kMaxTime;
    Time until = kMinTime;
    for (const EarlyLabels& early : early_) {
      if (early.count > 0) until = std::max(until, early.latest + plan_->labels_early);
    }
    return until;
  }

 private:
  using Entry = JoinEntry;

  static std::vector<size_t> ReadColumns(const JoinPlan& plan, const OperatorContext& context);
  static std::vector<size_t> ReadKept(const JoinPlan& plan, const OperatorContext& context);
  static std::array<bool, JoinedRows::kOwn> ReadOwn(const JoinPlan& plan, const OperatorContext& context,
                                                    size_t port);

  Status Settle(Entry& entry, Time watermark, uint32_t ordinal);
  Status EndWait(Entry& entry, uint32_t ordinal);
  Status Mark(Entry& entry, State state);
  Status CleanUpLater(const Entry& entry);
  Status Predict(Entry& entry, const Batch& in, uint32_t row);
  Status Attach(Entry& entry, const Label& label, uint32_t ordinal);
  struct Labels {  // of a batch
    ColumnPtr values;
    Batch kept;  // the columns of `keep:`
  };
  Status LabelRow(Entry& entry, const Batch& in, uint32_t row, const Labels& labels);
  Status LateLabel(Entry& entry, const Label& label, uint32_t ordinal);
  Status Hold(Entry& entry, const Label& label, bool late);
  Status Correct(Entry& entry, const Label& label, uint32_t ordinal);
  Status HoldEarly(Entry& entry, const Label& label, uint32_t ordinal, bool forgotten);
  Status Emit(const Entry& entry, JoinedRow row, Time time, uint32_t ordinal);
  bool Replaces(const Label& label, const Header& header);
  void Flush(Emitter& out);
  Status CountEarly(uint32_t shard, int64_t change);

  std::shared_ptr<const JoinPlan> plan_;
  OperatorContext& context_;
  KeyedTable& entries_;
  KeptRows rows_, keep_;
  JoinedRows joined_, timed_out_;
  Counter &unmatched_, &repeated_, &late_, &null_, &timeouts_, &corrected_;
  std::vector<EarlyLabels> early_;  // by shard

  // Of one call; kept for their memory.
  ShardKeys keys_;
  std::vector<uint32_t> keyed_rows_, late_rows_;
  std::vector<KeyedTable::Slot> slots_;
  std::string row_bytes_, keep_bytes_;
};

std::vector<size_t> Joining::ReadColumns(const JoinPlan& plan, const OperatorContext& context) {
  std::vector<size_t> columns;
  for (size_t c = 0; c < plan.from.size(); ++c) {
    const bool aside = plan.on_timeout == OnTimeout::kSide && context.is_read(plan.timed_out_port(), c);
    if (aside || context.is_read(0, c)) columns.push_back(c);
  }
  return columns;
}

std::vector<size_t> Joining::ReadKept(const JoinPlan& plan, const OperatorContext& context) {
  std::vector<size_t> columns;
  for (size_t c = 0; c < plan.keep.size(); ++c) {
    if (context.is_read(0, plan.from.size() + c)) columns.push_back(c);
  }
  return columns;
}

std::array<bool, JoinedRows::kOwn> Joining::ReadOwn(const JoinPlan& plan, const OperatorContext& context,
                                                    size_t port) {
  std::array<bool, JoinedRows::kOwn> read{};
  if (port != 0 && plan.on_timeout != OnTimeout::kSide) return read;  // there is no such output
  for (size_t i = 0; i < read.size(); ++i)
    read[i] = context.is_read(port, plan.from.size() + plan.keep.size() + i);
  return read;
}

Status Joining::Open(uint32_t shard) {
  if (Status s = rows_.Open(shard); !s.ok()) return s;
  if (Status s = keep_.Open(shard); !s.ok()) return s;
  KeyedTable::Slot slot;
  if (Status s = entries_.Load({shard, kEarlyLabels}, slot); !s.ok()) return s;
  EarlyLabels& early = early_[shard];
  early = {};
  if (!slot.present()) return {};
  if (slot.size() != sizeof(early)) {
    return {Code::kCorrupt, "the number of waiting labels in the state cannot be read"};
  }
  std::memcpy(&early, slot.data(), sizeof(early));
  return {};
}

Status Joining::CountEarly(uint32_t shard, int64_t change) {
  EarlyLabels& early = early_[shard];
  early.count += change;
  KeyedTable::Slot slot;
  if (Status s = entries_.Load({shard, kEarlyLabels}, slot); !s.ok()) return s;
  std::memcpy(entries_.Edit(slot, sizeof(early)), &early, sizeof(early));
  return {};
}

Status Joining::Process(size_t port, const Batch& in, Emitter& out) {
  keys_.Clear();
  keyed_rows_.clear();
  late_rows_.clear();
  const std::span<const uint32_t> shards = context_.shards();
  for (uint32_t row = 0; row < in.rows(); ++row) {
    if (!AppendStateKey(in, plan_->keys[port], row, keys_.buffer())) {
      context_.DeadLetter(in, row, "missing_key", "a field of the key is null");
      continue;
    }
    keys_.EndKey(shards[row]);
    keyed_rows_.push_back(row);
  }
  slots_.resize(keys_.size());
  if (Status s = entries_.Load(keys_, slots_); !s.ok()) return s;
  Labels labels;
  if (port != 0) {
    labels.values = plan_->label->Evaluate(context_.pool(), in, context_.faults());
    if (plan_->keep.size() > 0) labels.kept = in.Project(context_.pool(), plan_->keep_columns);
  }
  Entry entry;
  for (size_t i = 0; i < keyed_rows_.size(); ++i) {
    const uint32_t row = keyed_rows_[i];
    entry.slot = slots_[i];
    entry.key = keys_[i];
    if (Status s = entry.Read(); !s.ok()) return s;
    const uint32_t ordinal = in.ordinals()[row];
    if (Status s = Settle(entry, context_.WatermarkBefore(entry.key.shard, ordinal), ordinal); !s.ok())
      return s;
    Status s = port == 0 ? Predict(entry, in, row) : LabelRow(entry, in, row, labels);
    if (!s.ok()) return s;
  }
  Flush(out);
  if (!late_rows_.empty()) out.Emit(plan_->late_labels_port(), in.Take(context_.pool(), late_rows_));
  return {};
}

Status Joining::OnTimer(const DueTimer& timer, Emitter& out) {
  Entry entry;
  entry.key = {timer.shard, timer.key};
  if (Status s = entries_.Load(entry.key, entry.slot); !s.ok()) return s;
  if (Status s = entry.Read(); !s.ok()) return s;
  if (Status s = Settle(entry, timer.time, 0); !s.ok()) return s;
  Flush(out);
  return {};
}

void Joining::Flush(Emitter& out) {
  if (!joined_.empty()) out.Emit(0, joined_.Finish(context_.pool()));
  if (!timed_out_.empty()) out.Emit(plan_->timed_out_port(), timed_out_.Finish(context_.pool()));
}

// Brings the entry to where it stands at `watermark`.
Status Joining::Settle(Entry& entry, Time watermark, uint32_t ordinal) {
  if (!entry.present()) return {};
  if (entry.header.state == State::kEarly) {
    if (watermark < entry.header.label_time + plan_->labels_early) return {};
    unmatched_.Add();
    entries_.Erase(entry.slot);
    return CountEarly(entry.key.shard, -1);
  }
  if (entry.header.state == State::kWaiting) {
    if (watermark < entry.header.time + plan_->wait) return {};
    if (Status s = EndWait(entry, ordinal); !s.ok()) return s;
  }
  if (watermark >= entry.header.time + plan_->remember) entries_.Erase(entry.slot);
  return {};
}

// The wait is over: the entry goes out with the label it has, or as timed out, and becomes a marker. Where
// late labels correct, one that timed out goes out with the late label it holds too, or stays whole for one.
Status Joining::EndWait(Entry& entry, uint32_t ordinal) {
  const Time end = entry.header.time + plan_->wait;
  if (entry.has_label_in_time()) {
    JoinedRow row;
    row.keep = entry.keep();
    row.label = entry.header.label;
    row.label_time = entry.header.label_time;
    if (Status s = Emit(entry, row, end, ordinal); !s.ok()) return s;
    return Mark(entry, State::kReleased);
  }
  timeouts_.Add();
  if (plan_->on_timeout != OnTimeout::kDrop) {
    JoinedRow row;
    if (plan_->on_timeout == OnTimeout::kLabel) row.label = plan_->timeout_label;
    row.state = "timed_out";
    if (Status s = Emit(entry, row, end, ordinal); !s.ok()) return s;
  }
  if (plan_->late_labels != LateLabels::kCorrect) return Mark(entry, State::kTimedOut);
  if (entry.header.late) {
    return Correct(entry, {entry.header.label_time, entry.header.label, entry.keep()}, ordinal);
  }
  entry.header.state = State::kTimedOut;
  entry.WriteHeader(entries_);
  return CleanUpLater(entry);
}

Status Joining::Emit(const Entry& entry, JoinedRow row, Time time, uint32_t ordinal) {
  if (row.state.empty()) row.state = "labelled";
  row.shard = entry.key.shard;
  row.row = entry.row();
  row.prediction_time = entry.header.time;
  row.time = time;
  row.ordinal = ordinal;
  const bool aside = !row.label && plan_->on_timeout == OnTimeout::kSide;
  return (aside ? timed_out_ : joined_).Add(row);
}

Status Joining::Mark(Entry& entry, State state) {
  entry.header.state = state;
  entry.header.has_label = entry.header.late = false;
  entry.Write(entries_, {}, {});
  return CleanUpLater(entry);
}

Status Joining::CleanUpLater(const Entry& entry) {
  const Time expiry = entry.header.time + plan_->remember;
  return context_.timers().Set(CleanUpTime(expiry, plan_->remember), entry.key);
}

Status Joining::Predict(Entry& entry, const Batch& in, uint32_t row) {
  const Time time = in.times()[row];
  const uint32_t ordinal = in.ordinals()[row];
  const bool was_early = entry.present() && entry.header.state == State::kEarly;
  const bool forgotten = entry.present() && entry.marker() && time > entry.header.time + plan_->remember;
  if (entry.present() && !was_early && !forgotten) {
    context_.DeadLetter(in, row, "repeated_prediction",
                        "there was a prediction for this key at " + FormatTimestamp(entry.header.time) +
                            "; a key may be used again " + FormatDuration(plan_->remember) +
                            " after it (`remember:`)");
    return {};
  }
  Label label;
  if (was_early) {
    keep_bytes_.assign(entry.keep());
    label = {entry.header.label_time, entry.header.label, keep_bytes_};
    if (Status s = CountEarly(entry.key.shard, -1); !s.ok()) return s;
  }
  row_bytes_.clear();
  rows_.Encode(in, row, entry.key.shard, row_bytes_);
  entry.header = Header{};
  entry.header.time = time;
  entry.Write(entries_, row_bytes_, {});
  if (was_early) {
    const bool correct = plan_->late_labels == LateLabels::kCorrect;
    if (label.time >= time - plan_->labels_early && label.time <= time + plan_->wait) {
      if (Status s = Attach(entry, label, ordinal); !s.ok()) return s;
      if (entry.marker()) return {};
    } else if (correct && label.time > time + plan_->wait && label.time <= time + plan_->remember) {
      if (Status s = LateLabel(entry, label, ordinal); !s.ok()) return s;
    } else {
      unmatched_.Add();
    }
  }
  return context_.timers().Set(time + plan_->wait, entry.key);
}

// Gives a waiting prediction a label that is in time.
Status Joining::Attach(Entry& entry, const Label& label, uint32_t ordinal) {
  if (entry.has_label_in_time() && !Replaces(label, entry.header)) return {};
  const bool certain = plan_->take == Take::kFirst || (plan_->take == Take::kAny && label.bits != 0);
  if (certain && plan_->release == Release::kOnLabel) {
    JoinedRow row;
    row.keep = label.keep;
    row.label = label.bits;
    row.label_time = label.time;
    if (Status s = Emit(entry, row, label.time, ordinal); !s.ok()) return s;
    return Mark(entry, State::kReleased);
  }
  return Hold(entry, label, false);
}

Status Joining::Hold(Entry& entry, const Label& label, bool late) {
  entry.header.has_label = true;
  entry.header.late = late;
  entry.header.label_time = label.time;
  entry.header.label = label.bits;
  row_bytes_.assign(entry.row());
  entry.Write(entries_, row_bytes_, label.keep);
  return {};
}

// A label after the wait or the time-out. Where such labels correct, the first of them to come counts, unless
// there is one in time; while the wait is not over, as a label in time may still come, it is held.
Status Joining::LateLabel(Entry& entry, const Label& label, uint32_t ordinal) {
  const bool corrects = plan_->late_labels == LateLabels::kCorrect;
  if (entry.header.late || (corrects && entry.header.has_label)) {
    repeated_.Add();
    return {};
  }
  late_.Add();
  const Time time = entry.header.time;
  const bool fits = label.time >= time - plan_->labels_early && label.time <= time + plan_->remember;
  if (!corrects || !fits || !entry.has_row()) return {};
  if (entry.header.state == State::kWaiting) return Hold(entry, label, true);
  return Correct(entry, label, ordinal);
}

// The row that timed out goes out, once more where it did on time-out.
Status Joining::Correct(Entry& entry, const Label& label, uint32_t ordinal) {
  corrected_.Add();
  JoinedRow row;
  row.keep = label.keep;
  row.label = label.bits;
  row.label_time = label.time;
  row.state = "corrected";
  if (Status s = Emit(entry, row, label.time, ordinal); !s.ok()) return s;
  return Mark(entry, State::kReleased);
}

// Whether `label` takes the place of the one the entry has; counts it where it is one too many.
bool Joining::Replaces(const Label& label, const Header& header) {
  switch (plan_->take) {
    case Take::kFirst:
      repeated_.Add();
      return false;
    case Take::kLast:
      return label.time >= header.label_time;
    case Take::kAny:
      return header.label == 0 && label.bits != 0;
  }
  return false;
}

Status Joining::LabelRow(Entry& entry, const Batch& in, uint32_t row, const Labels& labels) {
  if (!labels.values->valid(row)) {
    null_.Add();
    return {};
  }
  const uint32_t ordinal = in.ordinals()[row];
  keep_bytes_.clear();
  if (plan_->keep.size() > 0) keep_.Encode(labels.kept, row, entry.key.shard, keep_bytes_);
  const Label label{in.times()[row], LabelBits(*labels.values, row), keep_bytes_};
  const Time time = entry.header.time;
  const bool forgotten = entry.present() && entry.marker() && label.time > time + plan_->remember;
  if (!entry.present() || entry.header.state == State::kEarly || forgotten)
    return HoldEarly(entry, label, ordinal, forgotten);
  if (entry.header.state == State::kReleased) {
    repeated_.Add();
    return {};
  }
  if (entry.header.state == State::kWaiting && label.time <= time + plan_->wait) {
    if (label.time < time - plan_->labels_early) {
      unmatched_.Add();
      return {};
    }
    if (Status s = Attach(entry, label, ordinal); !s.ok()) return s;
    return entry.marker() ? context_.timers().Cancel(time + plan_->wait, entry.key) : Status();
  }
  if (plan_->late_labels == LateLabels::kSide) late_rows_.push_back(row);
  return LateLabel(entry, label, ordinal);
}

// Keeps a label whose prediction has not come.
Status Joining::HoldEarly(Entry& entry, const Label& label, uint32_t ordinal, bool forgotten) {
  if (context_.WatermarkBefore(entry.key.shard, ordinal) >= label.time + plan_->labels_early) {
    unmatched_.Add();
    return {};
  }
  if (entry.present() && !forgotten && !Replaces(label, entry.header)) return {};
  Time& latest = early_[entry.key.shard].latest;
  latest = std::max(latest, label.time);
  if (Status s = CountEarly(entry.key.shard, entry.present() && !forgotten ? 0 : 1); !s.ok()) return s;
  entry.header = Header{};
  entry.header.state = State::kEarly;
  entry.header.has_label = true;
  entry.header.label_time = label.time;
  entry.header.label = label.bits;
  entry.Write(entries_, {}, label.keep);
  return context_.timers().Set(label.time + plan_->labels_early, entry.key);
}

}  // namespace

std::vector<TableSpec> JoinTables(uint32_t layout) {
  return {{std::string(kEntries), layout, false, 0}, KeptRows::Table()};
}

std::unique_ptr<Operator> MakeJoining(std::shared_ptr<const JoinPlan> plan, OperatorContext& context) {
  return std::make_unique<Joining>(std::move(plan), context);
}

}  // namespace freshet
