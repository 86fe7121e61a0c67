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
  // What was said of the same place already is counted and not kept again.
  void Error(Position at, std::string message);
  void Warning(Position at, std::string message);
  // The place of what `--set path=…` gave; faults there are told under that path.
  Position AddOverride(std::string path);
  bool ok() const { return errors_ == 0; }
  size_t errors() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return all_; }
  const std::string& file() const { return file_; }
  // Sorted by position, one "file:line:column: [warning: ]message" a line.
  std::string Text() const;
  // Where something else stands, in the middle of a message: "line 7", "given by `--set sources.s`".
  std::string Elsewhere(Position at) const;

 private:
  static constexpr size_t kKept = 1000;  // of errors, and of warnings; more are only counted
  void Keep(Diagnostic one, size_t& kept);
  std::string PlaceOf(const Diagnostic& one) const;  // "file:line:column: "
  std::string OverrideOf(Position at) const;         // "--set path"

  std::string file_;
  std::vector<std::string> overrides_;
  std::vector<Diagnostic> all_;
  size_t errors_ = 0;  // reported, copies too: whoever compares two counts learns whether a fault was found
  size_t kept_errors_ = 0;
  size_t kept_warnings_ = 0;
  size_t left_out_ = 0;  // errors
};

// "; did you mean `x`?" for the candidate nearest to `word` (Damerau-Levenshtein, at most a third of its
// length), or
// "" when none is near; with `list`, "; one of a, b, c" where none is near and there are at most 12.
std::string Suggestion(std::string_view word, std::span<const std::string> candidates, bool list = true);

}  // namespace freshet
