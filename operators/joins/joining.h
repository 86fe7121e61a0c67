#pragma once
// `label_join` at run time. A key has one entry: a prediction that waits for its label, a label that waits
// for its prediction, or the marker that stays of a prediction that was settled; where late labels correct, a
// prediction that timed out stays whole. One thread.
//
// Always: what a row does hangs on its time, the entry and the watermark before it, not on whether a timer
// has fired yet: an entry is first brought to where it stands at that watermark.
#include <memory>
#include <optional>
#include <vector>

#include "engine/operator/definition.h"

namespace freshet {

enum class Take : uint8_t { kFirst, kLast, kAny };
enum class Release : uint8_t { kOnLabel, kAfterWait };
enum class OnTimeout : uint8_t { kDrop, kLabel, kSide };
enum class LateLabels : uint8_t { kCount, kSide, kCorrect };

struct JoinPlan {
  Schema from;                       // of the predictions
  Schema keep;                       // of the fields kept of a label row
  std::vector<size_t> keep_columns;  // where they are in the label rows
  std::vector<size_t> keys[2];       // by port
  ExprPtr label;
  Duration wait = 0;
  Duration labels_early = 0;
  Duration remember = 0;
  Take take = Take::kFirst;
  Release release = Release::kOnLabel;
  OnTimeout on_timeout = OnTimeout::kDrop;
  LateLabels late_labels = LateLabels::kCount;
  uint64_t timeout_label = 0;  // bits of the value (kLabel)

  size_t timed_out_port() const { return 1; }
  size_t late_labels_port() const { return on_timeout == OnTimeout::kSide ? 2 : 1; }
  // Whether an entry may be emitted when its wait is over.
  bool emits_after_wait() const {
    return on_timeout != OnTimeout::kDrop || release == Release::kAfterWait || take == Take::kAny ||
           late_labels == LateLabels::kCorrect;
  }
};

// The tables it needs. `layout`: of all that the bytes of its state mean.
std::vector<TableSpec> JoinTables(uint32_t layout);
std::unique_ptr<Operator> MakeJoining(std::shared_ptr<const JoinPlan> plan, OperatorContext& context);

}  // namespace freshet
