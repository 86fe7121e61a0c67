#include "tests/operators/json_rows.h"

#include <map>

namespace freshet {

namespace {

std::string Value(std::string_view& in);

void SkipBlanks(std::string_view& in) {
  while (!in.empty() && (in[0] == ' ' || in[0] == '\t'))
    in.remove_prefix(1);
}

std::string Text(std::string_view& in) {
  size_t end = 1;
  while (end < in.size() && in[end] != '"')
    end += in[end] == '\\' ? 2 : 1;
  std::string text(in.substr(0, end + 1));
  in.remove_prefix(std::min(end + 1, in.size()));
  return text;
}

std::string Object(std::string_view& in) {
  std::map<std::string, std::string> members;
  in.remove_prefix(1);
  for (SkipBlanks(in); !in.empty() && in[0] != '}'; SkipBlanks(in)) {
    const std::string name = Text(in);
    SkipBlanks(in);
    if (!in.empty()) in.remove_prefix(1);  // the colon
    members[name] = Value(in);
    SkipBlanks(in);
    if (!in.empty() && in[0] == ',') in.remove_prefix(1);
  }
  if (!in.empty()) in.remove_prefix(1);
  std::string out = "{";
  for (const auto& [name, value] : members)
    out += (out.size() > 1 ? "," : "") + name + ":" + value;
  return out + "}";
}

std::string List(std::string_view& in) {
  std::string out = "[";
  in.remove_prefix(1);
  for (SkipBlanks(in); !in.empty() && in[0] != ']'; SkipBlanks(in)) {
    out += (out.size() > 1 ? "," : "") + Value(in);
    SkipBlanks(in);
    if (!in.empty() && in[0] == ',') in.remove_prefix(1);
  }
  if (!in.empty()) in.remove_prefix(1);
  return out + "]";
}

std::string Value(std::string_view& in) {
  SkipBlanks(in);
  if (in.empty()) return "";
  if (in[0] == '{') return Object(in);
  if (in[0] == '[') return List(in);
  if (in[0] == '"') return Text(in);
  const size_t end = std::min(in.find_first_of(",]} "), in.size());
  std::string scalar(in.substr(0, end));
  in.remove_prefix(end);
  return scalar;
}

}  // namespace

std::string PlainJson(std::string_view text) {
  std::string value = Value(text);
  SkipBlanks(text);
  return value + std::string(text);  // what follows the object shows
}

}  // namespace freshet
