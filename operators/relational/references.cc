#include "operators/relational/references.h"

namespace freshet {
namespace {

bool Letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool Digit(char c) {
  return c >= '0' && c <= '9';
}

// The end of the quoted text that begins at `at`.
size_t SkipQuoted(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

std::vector<std::string_view> PathsIn(std::string_view text) {
  std::vector<std::string_view> paths;
  size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = SkipQuoted(text, at);
      continue;
    }
    if (!Letter(c)) {
      ++at;
      while (Digit(c) && at < text.size() && (Letter(text[at]) || Digit(text[at]) || text[at] == '.'))
        ++at;  // 1e5, 0x1f, 2.5: no path begins inside a number
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && (Letter(text[at]) || Digit(text[at]) || text[at] == '.'))
      ++at;
    std::string_view path = text.substr(begin, at - begin);
    size_t next = at;
    while (next < text.size() && (text[next] == ' ' || text[next] == '\t' || text[next] == '\n'))
      ++next;
    if (next < text.size() && text[next] == '(') {
      // `f(…)` names no column, `a.b.f(…)` calls a method of `a.b`.
      const size_t dot = path.rfind('.');
      path = dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
    }
    if (!path.empty()) paths.push_back(path);
  }
  return paths;
}

}  // namespace freshet
