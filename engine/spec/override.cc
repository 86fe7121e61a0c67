#include <algorithm>

#include "engine/spec/job.h"
#include "engine/spec/scalar.h"
#include "engine/spec/topic_name.h"

namespace freshet {
namespace {

constexpr Position kUnnamed{Position::kOverride, 0};

void SetPosition(Node& node, Position here) {
  node.position = here;
  node.verbatim = false;
  for (Node& item : node.items)
    SetPosition(item, here);
  for (Node::Entry& entry : node.entries) {
    SetPosition(entry.first, here);
    SetPosition(entry.second, here);
  }
}

// The place of `path` under `node`. Keys may hold dots themselves, so the longest that is there wins; what is
// not there is made. Null where a list or a scalar is in the way.
Node* Descend(Node& node, std::string_view path, Position here) {
  if (path.empty()) return &node;
  if (node.kind == Node::Kind::kNull) node.kind = Node::Kind::kMap;
  if (node.kind != Node::Kind::kMap) return nullptr;
  Node::Entry* longest = nullptr;
  for (Node::Entry& entry : node.entries) {
    const std::string& key = entry.first.text;
    const bool named = path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '.');
    if (named && (longest == nullptr || key.size() > longest->first.text.size())) longest = &entry;
  }
  size_t length = longest == nullptr ? std::min(path.find('.'), path.size()) : longest->first.text.size();
  if (longest == nullptr) {
    Node key;
    key.kind = Node::Kind::kScalar;
    key.position = here;
    key.text = std::string(path.substr(0, length));
    Node value;
    value.position = here;
    node.entries.push_back({std::move(key), std::move(value)});
    longest = &node.entries.back();
  }
  if (length < path.size()) ++length;
  return Descend(longest->second, path.substr(length), here);
}

}  // namespace

void ApplyOverride(std::string_view assignment, Node& root, Diagnostics& diagnostics) {
  const size_t equals = assignment.find('=');
  const std::string_view path = assignment.substr(0, equals);
  const bool empty_part =
      path.empty() || path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos;
  if (equals == std::string_view::npos || empty_part) {
    diagnostics.Error(kUnnamed, "expected path=value, such as commit.interval=1s, found " + QuoteText(path));
    return;
  }
  if (path.size() > 1024 || std::count(path.begin(), path.end(), '.') > 32) {
    diagnostics.Error(kUnnamed, "the path " + QuoteText(path) + " is too long");
    return;
  }
  // Keys and names have no other letters than topics; what has is not shown as it is.
  const bool plain = path.find_first_not_of(kTopicLetters) == std::string_view::npos;
  const Position here = plain ? diagnostics.AddOverride(std::string(path)) : kUnnamed;
  Diagnostics faults("--set");
  Node value = ParseYaml(assignment.substr(equals + 1), faults);
  if (!faults.ok()) {
    for (const Diagnostic& fault : faults.all())
      diagnostics.Error(here, fault.message);
    return;
  }
  SetPosition(value, here);
  if (value.kind == Node::Kind::kNull && assignment.size() == equals + 1) {  // `prefix=`: the empty text
    value.kind = Node::Kind::kScalar;
    value.quoted = true;
  }
  Node* place = Descend(root, path, here);
  if (place == nullptr) {
    diagnostics.Error(
        here, QuoteText(path) + " leads into a value that is no map; set the whole of that value instead");
    return;
  }
  *place = std::move(value);
}

}  // namespace freshet
