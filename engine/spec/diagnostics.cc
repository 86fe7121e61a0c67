#include "engine/spec/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace freshet {

void Diagnostics::Error(Position at, std::string message) {
  ++errors_;
  Keep({Diagnostic::Severity::kError, at, std::move(message)}, kept_errors_);
}

void Diagnostics::Warning(Position at, std::string message) {
  Keep({Diagnostic::Severity::kWarning, at, std::move(message)}, kept_warnings_);
}

void Diagnostics::Keep(Diagnostic one, size_t& kept) {
  const bool known = std::any_of(all_.begin(), all_.end(), [&](const Diagnostic& other) {
    return other.position == one.position && other.severity == one.severity && other.message == one.message;
  });
  if (known) return;
  if (kept == kKept) {
    left_out_ += one.severity == Diagnostic::Severity::kError ? 1 : 0;
    return;
  }
  ++kept;
  all_.push_back(std::move(one));
}

Position Diagnostics::AddOverride(std::string path) {
  overrides_.push_back(std::move(path));
  return {Position::kOverride, static_cast<int>(overrides_.size())};
}

std::string Diagnostics::OverrideOf(Position at) const {
  const auto which = static_cast<size_t>(at.column);
  return "--set" + (which > 0 && which <= overrides_.size() ? ' ' + overrides_[which - 1] : "");
}

std::string Diagnostics::PlaceOf(const Diagnostic& one) const {
  const auto [line, column] = one.position;
  if (line == Position::kOverride) return OverrideOf(one.position) + ": ";
  return file_ + (line > 0 ? ':' + std::to_string(line) + ':' + std::to_string(column) : "") + ": ";
}

std::string Diagnostics::Elsewhere(Position at) const {
  return at.line == Position::kOverride ? "given by `" + OverrideOf(at) + '`'
                                        : "line " + std::to_string(at.line);
}

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
  for (const Diagnostic* d : sorted) {
    const bool warning = d->severity == Diagnostic::Severity::kWarning;
    text += PlaceOf(*d) + (warning ? "warning: " : "") + d->message + '\n';
  }
  if (left_out_ > 0) text += file_ + ": and " + std::to_string(left_out_) + " more errors\n";
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
