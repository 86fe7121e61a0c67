#include "operators/features/windowed.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/operator/state_key.h"
#include "operators/windows/tiles.h"

namespace freshet {
namespace {

class Windowed final : public Operator {
 public:
  Windowed(std::shared_ptr<const WindowedPlan> plan, OperatorContext& context)
      : plan_(std::move(plan)),
        context_(context),
        late_(context.counter("late_rows")),
        gone_(context.counter("gone_windows")) {
    tiers_.reserve(plan_->tiers.size());
    for (size_t i = 0; i < plan_->tiers.size(); ++i) {
      const WindowedPlan::Tier& tier = plan_->tiers[i];
      tiers_.emplace_back(tier.layout, LengthsOf(tier), static_cast<uint8_t>(i), context);
    }
    states_.resize(plan_->measures.size());
    is_gone_.resize(plan_->measures.size());
  }

  Status Process(size_t port, const Batch& in, Emitter& out) override;
  Status OnTimer(const DueTimer& timer, Emitter& out) override;

 private:
  static constexpr size_t kMain = 0;
  static constexpr size_t kLate = 1;  // and kLate + port

  bool aggregated(size_t port) const { return port == (plan_->over ? 1 : 0); }
  bool IsLate(Time time, Time watermark) const {
    return watermark >= kMinTime + plan_->allowed_lateness && time < watermark - plan_->allowed_lateness;
  }
  void Sort(size_t port, const Batch& in);
  Status RunTier(size_t tier, size_t port, const Batch& rows);
  void Announce(size_t tier, size_t row, Time time, Time watermark);
  Status Evaluate(size_t tier, size_t row, Time time);
  void FoldParts(const WindowedPlan::Measure& measure, const TileLayout& layout, const Tiles::Reach& reach,
                 char* state);
  Batch WithValues(const Batch& rows);
  Time Until(Time time) const { return plan_->ties ? time : time - 1; }
  Tiles::Reach ReachOf(size_t tier, size_t window, Time time) const {
    return {window, time - plan_->tiers[tier].windows[window].length, Until(time)};
  }
  char* StateOf(size_t measure, size_t row) {
    return states_[measure].data() + row * plan_->measures[measure].fold.size;
  }

  std::shared_ptr<const WindowedPlan> plan_;
  OperatorContext& context_;
  Counter& late_;
  Counter& gone_;
  std::vector<Tiles> tiers_;

  // Of the batch that is being processed; kept for their memory.
  ShardKeys keys_;
  std::vector<uint32_t> kept_rows_, late_rows_;
  std::vector<Time> watermarks_;  // of the kept rows
  RowPacker::Scratch scratch_;
  std::string packed_;
  std::vector<std::string> states_;            // by measure: a state a row
  std::vector<std::vector<uint8_t>> is_gone_;  // by measure: 1 a row whose window may have lost rows
  std::vector<Tiles::Reach> reaches_;          // of a row
  TileParts parts_;
  std::vector<ColumnPtr> columns_;
};

// Which rows are kept, and their keys and watermarks; those without a key leave here.
void Windowed::Sort(size_t port, const Batch& in) {
  keys_.Clear();
  kept_rows_.clear();
  late_rows_.clear();
  watermarks_.clear();
  const std::span<const uint32_t> shards = context_.shards();
  for (uint32_t row = 0; row < in.rows(); ++row) {
    const Time watermark = context_.WatermarkBefore(shards[row], in.ordinals()[row]);
    if (IsLate(in.times()[row], watermark)) {
      late_.Add();
      if (plan_->late != LateRows::kInclude) {
        late_rows_.push_back(row);
        continue;
      }
    }
    if (!AppendStateKey(in, plan_->keys[port], row, keys_.buffer())) {
      context_.DeadLetter(in, row, "missing_key", "a field of the key is null");
      continue;
    }
    keys_.EndKey(shards[row]);
    kept_rows_.push_back(row);
    watermarks_.push_back(watermark);
  }
}

Status Windowed::Process(size_t port, const Batch& in, Emitter& out) {
  Sort(port, in);
  const Batch rows = kept_rows_.size() == in.rows() ? in : in.Take(context_.pool(), kept_rows_);
  if (!rows.empty()) {
    if (aggregated(port)) {
      plan_->packer.Pack(context_.pool(), rows, context_.faults(), scratch_, packed_);
    }
    if (port == 0) {
      for (size_t m = 0; m < states_.size(); ++m) {
        states_[m].assign(rows.rows() * plan_->measures[m].fold.size, '\0');
        is_gone_[m].assign(rows.rows(), 0);
      }
    }
    for (size_t tier = 0; tier < tiers_.size(); ++tier) {
      if (Status s = RunTier(tier, port, rows); !s.ok()) return s;
    }
    if (port == 0) out.Emit(kMain, WithValues(rows));
  }
  if (plan_->late == LateRows::kSide && !late_rows_.empty()) {
    out.Emit(kLate + port, in.Take(context_.pool(), late_rows_));
  }
  return {};
}

Status Windowed::RunTier(size_t tier, size_t port, const Batch& rows) {
  const uint32_t width = plan_->tiers[tier].layout.row_width;
  const bool adds = aggregated(port);
  Tiles& tiles = tiers_[tier];
  const std::span<const Time> times = rows.times();
  if (Status s = tiles.Begin(keys_); !s.ok()) return s;
  for (size_t row = 0; row < times.size(); ++row) {
    if (port == 0) Announce(tier, row, times[row], watermarks_[row]);
    if (!adds) continue;
    if (Status s = tiles.Add(row, times[row], watermarks_[row]); !s.ok()) return s;
  }
  if (Status s = tiles.Load(); !s.ok()) return s;
  for (size_t row = 0; row < times.size(); ++row) {
    if (port == 0) {
      if (Status s = Evaluate(tier, row, times[row]); !s.ok()) return s;
    }
    if (!adds) continue;
    if (Status s = tiles.Insert(row, times[row], packed_.data() + row * width); !s.ok()) return s;
  }
  return {};
}

// Says what the row will read: the windows of which nothing can be gone.
void Windowed::Announce(size_t tier, size_t row, Time time, Time watermark) {
  const Time horizon = plan_->tiers[tier].layout.Horizon(watermark);
  const std::vector<WindowedPlan::Window>& windows = plan_->tiers[tier].windows;
  reaches_.clear();
  for (size_t w = 0; w < windows.size(); ++w) {
    const WindowedPlan::Window& window = windows[w];
    if (time - window.length >= horizon) {
      reaches_.push_back(ReachOf(tier, w, time));
      continue;
    }
    for (const uint32_t measure : window.measures)
      is_gone_[measure][row] = 1;
    gone_.Add(window.measures.size());
  }
  tiers_[tier].Read(row, reaches_);
}

Status Windowed::Evaluate(size_t tier, size_t row, Time time) {
  const WindowedPlan::Tier& t = plan_->tiers[tier];
  for (size_t w = 0; w < t.windows.size(); ++w) {
    const WindowedPlan::Window& window = t.windows[w];
    if (is_gone_[window.measures.front()][row] != 0) continue;
    const Tiles::Reach reach = ReachOf(tier, w, time);
    if (Status s = tiers_[tier].Parts(row, reach, parts_); !s.ok()) return s;
    for (const uint32_t m : window.measures) {
      const WindowedPlan::Measure& measure = plan_->measures[m];
      char* state = StateOf(m, row);
      FoldParts(measure, t.layout, reach, state);
      if (plan_->over || !plan_->include_current) continue;
      const PackedRows self{packed_.data() + row * t.layout.row_width, 1, t.layout.row_width};
      measure.fold.add(state, self, measure.operand, kMinTime, kMaxTime);
    }
  }
  return {};
}

// Folds parts_ into `state`, in their order.
void Windowed::FoldParts(const WindowedPlan::Measure& measure, const TileLayout& layout,
                         const Tiles::Reach& reach, char* state) {
  const uint32_t offset = layout.states[measure.state].offset;
  const std::span<const char* const> whole(parts_.whole);
  for (const TileParts::Part& part : parts_.parts) {
    if (part.begin < part.end)
      measure.fold.merge(state, whole.subspan(part.begin, part.end - part.begin), offset);
    if (part.rows.count > 0) measure.fold.add(state, part.rows, measure.operand, reach.after, reach.until);
  }
}

Batch Windowed::WithValues(const Batch& rows) {
  columns_.clear();
  for (size_t m = 0; m < states_.size(); ++m) {
    const Fold& fold = plan_->measures[m].fold;
    ColumnBuilder builder(context_.pool(), fold.result, rows.rows());
    fold.finish(states_[m].data(), is_gone_[m], builder);
    columns_.push_back(builder.Finish());
  }
  Batch with = rows.With(context_.pool(), columns_);
  columns_.clear();
  return with;
}

Status Windowed::OnTimer(const DueTimer& timer, Emitter&) {
  const std::string_view key = timer.key;
  if (key.empty() || static_cast<uint8_t>(key[0]) >= tiers_.size()) {
    return {Code::kCorrupt, "a timer in the state names tiles that the job file does not ask for"};
  }
  return tiers_[static_cast<uint8_t>(key[0])].Expire({timer.shard, key.substr(1)}, timer.time);
}

}  // namespace

std::vector<Duration> LengthsOf(const WindowedPlan::Tier& tier) {
  std::vector<Duration> lengths;
  for (const WindowedPlan::Window& window : tier.windows)
    lengths.push_back(window.length);
  return lengths;
}

std::unique_ptr<Operator> MakeWindowed(std::shared_ptr<const WindowedPlan> plan, OperatorContext& context) {
  return std::make_unique<Windowed>(std::move(plan), context);
}

}  // namespace freshet
