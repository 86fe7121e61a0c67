#pragma once
// Everything wrong with a job file, gathered so that the author sees all of it at once. One thread.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/spec/node.h"

namespace freshet {

struct Diagnostic {
  enum class Severity : uint8_t { kError, kWarning };
  Severity severity = Severity::kError;
  Position position;
  std::string message;  // what is wrong and what to do; one line
};

class Diagnostics {
 public:
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}
  void Error(Position at, std::string message);
  void Warning(Position at, std::string message);
  // The place of what `--set path=…` gave; faults there are told under that path.
  Position AddOverride(std::string path);
  bool ok() const { return errors_ == 0; }
  size_t errors() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return all_; }
  const std::string& file() const { return file_; }
  // Sorted by position, one "file:line:column: [warning: ]message" a line, equal ones once.
  std::string Text() const;

 private:
  static constexpr size_t kKept = 1000;              // errors; more are only counted
  std::string PlaceOf(const Diagnostic& one) const;  // "file:line:column: "

  std::string file_;
  std::vector<std::string> overrides_;
  std::vector<Diagnostic> all_;
  size_t errors_ = 0;
};

// "; did you mean `x`?" for the candidate nearest to `word` (Damerau-Levenshtein, at most a third of its
// length), or
// "" when none is near; with `list`, "; one of a, b, c" where none is near and there are at most 12.
std::string Suggestion(std::string_view word, std::span<const std::string> candidates, bool list = true);

}  // namespace freshet
