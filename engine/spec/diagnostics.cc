#include "engine/spec/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace freshet {

void Diagnostics::Error(Position at, std::string message) {
  if (errors_ < kKept) all_.push_back({Diagnostic::Severity::kError, at, std::move(message)});
  ++errors_;
}

void Diagnostics::Warning(Position at, std::string message) {
  if (all_.size() < 2 * kKept) all_.push_back({Diagnostic::Severity::kWarning, at, std::move(message)});
}

Position Diagnostics::AddOverride(std::string path) {
  overrides_.push_back(std::move(path));
  return {Position::kOverride, static_cast<int>(overrides_.size())};
}

std::string Diagnostics::PlaceOf(const Diagnostic& one) const {
  const auto [line, column] = one.position;
  if (line != Position::kOverride) {
    return file_ + (line > 0 ? ':' + std::to_string(line) + ':' + std::to_string(column) : "") + ": ";
  }
  const auto which = static_cast<size_t>(column);
  return "--set" + (which > 0 && which <= overrides_.size() ? ' ' + overrides_[which - 1] : "") + ": ";
}

namespace {

// Whether `next` says what `one` does, perhaps with more advice: a model is bound once for each operator that
// uses it, over streams of different columns.
bool Repeats(const Diagnostic& one, const Diagnostic& next) {
  return one.position == next.position && one.severity == next.severity &&
         std::string_view(one.message).substr(0, one.message.find("; ")) ==
             std::string_view(next.message).substr(0, next.message.find("; "));
}

}  // namespace

std::string Diagnostics::Text() const {
  std::vector<const Diagnostic*> sorted;
  for (const Diagnostic& one : all_)
    sorted.push_back(&one);
  const auto key = [](const Diagnostic* d) {
    return std::tuple(d->position.line, d->position.column, d->severity, std::string_view(d->message));
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Diagnostic* a, const Diagnostic* b) { return key(a) < key(b); });
  std::string text;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const Diagnostic* d = sorted[i];
    if (i + 1 < sorted.size() && Repeats(*d, *sorted[i + 1])) continue;
    const bool warning = d->severity == Diagnostic::Severity::kWarning;
    text += PlaceOf(*d) + (warning ? "warning: " : "") + d->message + '\n';
  }
  if (errors_ > kKept) text += file_ + ": and " + std::to_string(errors_ - kKept) + " more errors\n";
  return text;
}

namespace {

// Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. Three rows of
// the usual table are enough.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string Suggestion(std::string_view word, std::span<const std::string> candidates, bool list) {
  constexpr size_t kLongest = 256;  // nobody mistypes more; the table is quadratic
  constexpr size_t kListed = 12;
  const std::string* nearest = nullptr;
  size_t least = 0;
  if (word.size() <= kLongest) {
    const std::string lower = Lower(word);
    for (const std::string& candidate : candidates) {
      if (candidate.empty() || candidate.size() > kLongest) continue;
      const size_t distance = EditDistance(lower, Lower(candidate));
      if (distance > std::max<size_t>(1, word.size() / 3) || distance >= candidate.size()) continue;
      if (nearest == nullptr || distance < least) {
        nearest = &candidate;
        least = distance;
      }
    }
  }
  if (nearest != nullptr) return "; did you mean `" + *nearest + "`?";
  if (!list || candidates.empty() || candidates.size() > kListed) return "";
  std::string text = candidates.size() == 1 ? "; there is only " : "; one of ";
  for (size_t i = 0; i < candidates.size(); ++i)
    text += (i == 0 ? "" : ", ") + candidates[i];
  return text;
}

}  // namespace freshet
