#include "operators/evaluation/metrics.h"

#include <algorithm>
#include <bit>
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
  for (std::unique_ptr<Group>& group : groups_) {
    if (group != nullptr) *group = Group();  // what was asked for serves again
  }
  above_.clear();
  totals_[0] = totals_[1] = 0;
}

void Histogram::Carry(bool label, size_t step, uint64_t above) {
  above_[2 * step + (label ? 1 : 0)] += above;
}

void Histogram::Apply(Change change, bool label, std::span<const uint16_t> steps) {
  const uint64_t by = change == Change::kAdd ? uint64_t{1} : ~uint64_t{0};  // modulo 2^64: one less
  for (const uint16_t step : steps)
    Count(label, step, by);
  totals_[label ? 1 : 0] += by * steps.size();
}

void Histogram::Apply(Change change, bool label, size_t first_step, std::span<const uint64_t> counts) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const uint64_t by = change == Change::kAdd ? counts[i] : ~counts[i] + 1;
    Count(label, first_step + i, by);
    totals_[label ? 1 : 0] += by;
  }
}

uint64_t Histogram::count(bool label, uint16_t step) const {
  const std::unique_ptr<Group>& group = groups_[step / (kBlocks * kWidth)];
  if (group == nullptr) return 0;
  const auto above = above_.find(2 * size_t{step} + (label ? 1 : 0));
  const uint64_t low = group->counts[step % (kBlocks * kWidth)].of[label ? 1 : 0];
  return above == above_.end() ? low : low + (above->second << 32);
}

std::optional<double> Histogram::RocAuc() {
  const auto [negatives, positives] = totals_;
  if (positives == 0 || negatives == 0) return std::nullopt;
  const double pairs = static_cast<double>(positives) * static_cast<double>(negatives);
  // Twice the pairs won fit 64 bits: no rounding, and faster.
  const bool exact = positives < uint64_t{1} << 31 && negatives < uint64_t{1} << 31;
  if (!exact) return TwiceWonRounded() / 2 / pairs;
  uint64_t twice_won = 0;
  uint64_t twice_below = 0;  // twice the negatives below the group
  for (const std::unique_ptr<Group>& group : groups_) {
    if (group == nullptr) continue;
    if (group->changed != 0) CountPairs(*group);
    twice_won += group->twice_won + group->totals[1] * twice_below;
    twice_below += 2 * group->totals[0];
  }
  return static_cast<double>(twice_won) / 2 / pairs;
}

// REQUIRES: all counts fit 32 bits, and so the pairs 64.
void Histogram::CountPairs(Group& group) {
  for (; group.changed != 0; group.changed &= group.changed - 1) {
    const auto number = static_cast<size_t>(std::countr_zero(group.changed));
    const Counts* steps = group.counts + number * kWidth;
    uint64_t below = 0;
    uint64_t positives = 0;
    uint64_t twice_won = 0;
    for (size_t step = 0; step < kWidth; ++step) {
      const auto [against, for_it] = steps[step].of;
      twice_won += for_it * (2 * below + against);
      below += against;
      positives += for_it;
    }
    group.blocks[number] = {{{static_cast<uint32_t>(below), static_cast<uint32_t>(positives)}}, twice_won};
  }
  uint64_t below = 0;
  uint64_t positives = 0;
  uint64_t twice_won = 0;
  for (const Block& block : group.blocks) {
    twice_won += block.twice_won + 2 * below * block.totals.of[1];
    below += block.totals.of[0];
    positives += block.totals.of[1];
  }
  group.totals[0] = below;
  group.totals[1] = positives;
  group.twice_won = twice_won;
}

double Histogram::TwiceWonRounded() const {
  uint64_t twice_below = 0;
  double won = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    const uint64_t against = count(false, static_cast<uint16_t>(step));
    const uint64_t for_it = count(true, static_cast<uint16_t>(step));
    won += static_cast<double>(for_it) * static_cast<double>(twice_below + against);
    twice_below += 2 * against;
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
