#pragma once
// The YAML tree with positions, before any meaning is given to it. Scalars stay text: what they are is
// decided by the type that reads them (YAML 1.2 core rules), never here. A plain value type; any thread.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

class Diagnostics;

struct Position {
  int line = 0;  // from 1; 0: unknown
  int column = 0;
};

struct Node {
  struct Entry;  // a pair would have to be complete here
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Position position;
  std::string text;            // scalars
  bool quoted = false;         // '…' or "…" or a block: always a string
  std::vector<Node> items;     // lists
  std::vector<Entry> entries;  // maps, keys are scalars, no key twice, in file order

  const Node* Find(std::string_view key) const;
  std::string_view KindName() const;  // "a map", "a list", "a scalar", "nothing"
};

struct Node::Entry {
  Node first;
  Node second;
};

// Parses one document of at most 1 MiB. Duplicate keys, `<<`, tags, anchors, aliases, keys that are no
// scalars, a second document, tabs and syntax errors are reported to `diagnostics`; what could be read is
// returned.
Node ParseYaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace freshet
