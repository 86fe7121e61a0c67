#include "operators/evaluation/metrics.h"

#include <algorithm>
#include <cmath>

#include "engine/base/math.h"

namespace freshet {

void Sums::Add(const Scored& example) {
  const auto [probability, answer, label] = example;
  ++examples;
  positives += label ? 1 : 0;
  correct += answer == label ? 1 : 0;
  log_loss += LogLoss(probability, label);
  const double error = probability - (label ? 1.0 : 0.0);
  brier += error * error;
  Bin& bin = bins[std::min(kBins - 1, static_cast<size_t>(probability * static_cast<double>(kBins)))];
  bin.probability += probability;
  bin.positives += label ? 1 : 0;
}

void Sums::Add(const Sums& other) {
  examples += other.examples;
  positives += other.positives;
  correct += other.correct;
  log_loss += other.log_loss;
  brier += other.brier;
  for (size_t i = 0; i < kBins; ++i) {
    bins[i].probability += other.bins[i].probability;
    bins[i].positives += other.bins[i].positives;
  }
}

void Histogram::Clear() {
  std::fill(places_.begin(), places_.end(), kAbsent);
  blocks_.clear();
  totals_[0] = totals_[1] = 0;
}

Histogram::Block& Histogram::At(size_t number) {
  uint16_t& place = places_[number];
  if (place == kAbsent) {
    place = static_cast<uint16_t>(blocks_.size());
    blocks_.emplace_back();
  }
  Block& block = blocks_[place];
  block.counted = false;
  return block;
}

void Histogram::Apply(Change change, bool label, std::span<const uint16_t> steps) {
  const uint64_t by = change == Change::kAdd ? uint64_t{1} : ~uint64_t{0};  // modulo 2^64: one less
  for (const uint16_t step : steps) {
    Block& block = At(step / kWidth);
    block.counts[label ? 1 : 0][step % kWidth] += by;
    block.totals[label ? 1 : 0] += by;
  }
  totals_[label ? 1 : 0] += by * steps.size();
}

void Histogram::Apply(Change change, bool label, size_t first_step, std::span<const uint64_t> counts) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const uint64_t by = change == Change::kAdd ? counts[i] : ~counts[i] + 1;
    const size_t step = first_step + i;
    Block& block = At(step / kWidth);
    block.counts[label ? 1 : 0][step % kWidth] += by;
    block.totals[label ? 1 : 0] += by;
    totals_[label ? 1 : 0] += by;
  }
}

uint64_t Histogram::count(bool label, uint16_t step) const {
  const uint16_t place = places_[step / kWidth];
  return place == kAbsent ? 0 : blocks_[place].counts[label ? 1 : 0][step % kWidth];
}

std::optional<double> Histogram::RocAuc() {
  const auto [negatives, positives] = totals_;
  if (positives == 0 || negatives == 0) return std::nullopt;
  const double pairs = static_cast<double>(positives) * static_cast<double>(negatives);
  // Twice the pairs won fit 64 bits: no rounding, and faster.
  const bool exact = positives < uint64_t{1} << 31 && negatives < uint64_t{1} << 31;
  if (!exact) return TwiceWonRounded() / 2 / pairs;
  uint64_t twice_won = 0;
  uint64_t twice_below = 0;  // twice the negatives below this block
  for (const uint16_t place : places_) {
    if (place == kAbsent) continue;
    Block& block = blocks_[place];
    if (!block.counted) CountPairs(block);
    twice_won += block.twice_won + block.totals[1] * twice_below;
    twice_below += 2 * block.totals[0];
  }
  return static_cast<double>(twice_won) / 2 / pairs;
}

void Histogram::CountPairs(Block& block) {
  block.twice_won = 0;
  block.counted = true;
  if (block.totals[0] == 0 || block.totals[1] == 0) return;
  uint64_t twice_below = 0;
  for (size_t step = 0; step < kWidth; ++step) {
    const uint64_t against = block.counts[0][step];
    block.twice_won += block.counts[1][step] * (twice_below + against);
    twice_below += 2 * against;
  }
}

double Histogram::TwiceWonRounded() const {
  uint64_t twice_below = 0;
  double won = 0;
  for (const uint16_t place : places_) {
    if (place == kAbsent) continue;
    for (size_t step = 0; step < kWidth; ++step) {
      const uint64_t against = blocks_[place].counts[0][step];
      won += static_cast<double>(blocks_[place].counts[1][step]) * static_cast<double>(twice_below + against);
      twice_below += 2 * against;
    }
  }
  return won;
}

namespace {

double CalibrationError(const Sums& sums) {
  double error = 0;
  for (const Sums::Bin& bin : sums.bins)
    error += std::abs(bin.probability - static_cast<double>(bin.positives));
  return error;
}

}  // namespace

std::optional<double> ValueOf(Metric metric, const Sums& sums, std::optional<double> roc_auc) {
  if (sums.examples == 0) return std::nullopt;
  const auto n = static_cast<double>(sums.examples);
  switch (metric) {
    case Metric::kLogLoss:
      return sums.log_loss / n;
    case Metric::kRocAuc:
      return roc_auc;
    case Metric::kAccuracy:
      return static_cast<double>(sums.correct) / n;
    case Metric::kBrier:
      return sums.brier / n;
    case Metric::kCalibrationError:
      return CalibrationError(sums) / n;
  }
  return std::nullopt;
}

}  // namespace freshet
