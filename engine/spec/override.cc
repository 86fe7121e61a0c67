#include <algorithm>

#include "engine/spec/job.h"
#include "engine/spec/scalar.h"

namespace freshet {
namespace {

constexpr Position kHere{Position::kOverride, 0};

void SetPosition(Node& node) {
  node.position = kHere;
  node.verbatim = false;
  for (Node& item : node.items)
    SetPosition(item);
  for (Node::Entry& entry : node.entries) {
    SetPosition(entry.first);
    SetPosition(entry.second);
  }
}

// The place of `path` under `node`. Keys may hold dots themselves, so the longest that is there wins; what is
// not there is made. Null where a list or a scalar is in the way.
Node* Descend(Node& node, std::string_view path) {
  if (path.empty()) return &node;
  if (node.kind == Node::Kind::kNull) node.kind = Node::Kind::kMap;
  if (node.kind != Node::Kind::kMap) return nullptr;
  Node::Entry* longest = nullptr;
  for (Node::Entry& entry : node.entries) {
    const std::string& key = entry.first.text;
    const bool here = path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '.');
    if (here && (longest == nullptr || key.size() > longest->first.text.size())) longest = &entry;
  }
  size_t length = longest == nullptr ? std::min(path.find('.'), path.size()) : longest->first.text.size();
  if (longest == nullptr) {
    Node key;
    key.kind = Node::Kind::kScalar;
    key.position = kHere;
    key.text = std::string(path.substr(0, length));
    Node value;
    value.position = kHere;
    node.entries.push_back({std::move(key), std::move(value)});
    longest = &node.entries.back();
  }
  if (length < path.size()) ++length;
  return Descend(longest->second, path.substr(length));
}

}  // namespace

void ApplyOverride(std::string_view assignment, Node& root, Diagnostics& diagnostics) {
  const size_t equals = assignment.find('=');
  const std::string_view path = assignment.substr(0, equals);
  const bool empty_part =
      path.empty() || path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos;
  if (equals == std::string_view::npos || empty_part) {
    diagnostics.Error(kHere, "expected path=value, such as commit.interval=1s, found " + QuoteText(path));
    return;
  }
  if (path.size() > 1024 || std::count(path.begin(), path.end(), '.') > 32) {
    diagnostics.Error(kHere, "the path " + QuoteText(path) + " is too long");
    return;
  }
  Diagnostics faults("--set");
  Node value = ParseYaml(assignment.substr(equals + 1), faults);
  if (!faults.ok()) {
    for (const Diagnostic& fault : faults.all())
      diagnostics.Error(kHere, std::string(path) + ": " + fault.message);
    return;
  }
  SetPosition(value);
  if (value.kind == Node::Kind::kNull && assignment.size() == equals + 1) {  // `prefix=`: the empty text
    value.kind = Node::Kind::kScalar;
    value.quoted = true;
  }
  Node* place = Descend(root, path);
  if (place == nullptr) {
    diagnostics.Error(
        kHere, QuoteText(path) + " leads into a value that is no map; set the whole of that value instead");
    return;
  }
  *place = std::move(value);
}

}  // namespace freshet
