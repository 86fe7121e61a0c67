#include "operators/evaluation/span_histograms.h"

namespace freshet {

using Change = Histogram::Change;

Status SpanHistograms::Apply(Change change, SpanKind kind, Time start, Histogram& histogram) {
  return tallies_->Apply(change, TallyId{series_->key, kind, start}, histogram);
}

Status SpanHistograms::Make(SpanKind kind, Time start, Kept& kept) {
  if (kept.made && kept.since == start) return {};
  kept.histogram.Clear();
  kept.made = true;
  kept.since = start;
  return Apply(Change::kAdd, kind, start, kept.histogram);
}

Status SpanHistograms::OfRun(Histogram*& histogram) {
  histogram = &run_.histogram;
  return Make(SpanKind::kRun, 0, run_);
}

Status SpanHistograms::OfMonth(Time start, Histogram*& histogram) {
  histogram = &month_.histogram;
  return Make(SpanKind::kMonth, start, month_);
}

Status SpanHistograms::OfWindow(size_t window, Time end, Histogram*& histogram) {
  Kept& kept = windows_[window];
  const Time since = end - plan_->windows[window];
  if (!kept.made || kept.end <= since) {
    kept.histogram.Clear();
    kept.made = true;
    kept.since = kept.end = since;
  }
  if (Status s = Leave(kept, since); !s.ok()) return s;
  for (; kept.end < end; kept.end = plan_->BucketEnd(kept.end)) {
    if (Status s = Apply(Change::kAdd, SpanKind::kBucket, kept.end, kept.histogram); !s.ok()) return s;
  }
  histogram = &kept.histogram;
  return {};
}

Status SpanHistograms::Leave(Kept& window, Time since) {
  for (; window.since < since; window.since = plan_->BucketEnd(window.since)) {
    if (Status s = Apply(Change::kTakeAway, SpanKind::kBucket, window.since, window.histogram); !s.ok())
      return s;
  }
  return {};
}

Status SpanHistograms::JoinedRun(Time bucket) {
  return run_.made ? Apply(Change::kAdd, SpanKind::kBucket, bucket, run_.histogram) : Status();
}

Status SpanHistograms::JoinedMonth(Time month, Time bucket) {
  const bool is_kept = month_.made && month_.since == month;
  return is_kept ? Apply(Change::kAdd, SpanKind::kBucket, bucket, month_.histogram) : Status();
}

void SpanHistograms::Added(SpanKind kind, Time start, const Scored& example) {
  const uint16_t step = Histogram::StepOf(example.probability);
  if (kind == SpanKind::kRun && run_.made) run_.histogram.Add(example.label, step);
  if (kind == SpanKind::kMonth && month_.made && month_.since == start)
    month_.histogram.Add(example.label, step);
  if (kind != SpanKind::kBucket) return;
  for (Kept& window : windows_) {
    if (window.made && window.since <= start && start < window.end) window.histogram.Add(example.label, step);
  }
}

Status SpanHistograms::Forget(SpanKind kind, Time start) {
  if (kind == SpanKind::kMonth && month_.made && month_.since == start) {
    month_.made = false;
    month_.histogram.Clear();
  }
  if (kind != SpanKind::kBucket) return {};
  for (Kept& window : windows_) {
    if (!window.made || start < window.since || start >= window.end) continue;
    if (Status s = Leave(window, plan_->BucketEnd(start)); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet
