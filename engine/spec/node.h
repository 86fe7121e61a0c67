#pragma once
// The YAML tree with positions, before any meaning is given to it. Scalars stay text: what they are is
// decided by the type that reads them (YAML 1.2 core rules), never here. A plain value type; any thread.
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

class Diagnostics;

struct Position {
  static constexpr int kOverride = -1;

  int line = 0;  // from 1; 0: unknown; kOverride: given on the command line with --set
  int column =
      0;  // from 1, in bytes; of an override: which (Diagnostics::AddOverride), 0: none that is named
  auto operator<=>(const Position&) const = default;
};

struct Node {
  struct Entry;  // a pair would have to be complete here
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Position position;
  std::string text;     // scalars
  bool quoted = false;  // '…' or "…" or a block: always a string
  bool verbatim =
      false;            // `text` stands in the file as it is, on one line, from `position` (and its quote) on
  bool secret = false;  // `text` came from ${env:…} or ${file:…}: never print it
  bool broken = false;  // its fault was reported already: whoever reads it stays silent
  std::vector<Node> items;     // lists
  std::vector<Entry> entries;  // maps, keys are scalars, no key twice, in file order

  const Node* Find(std::string_view key) const;
  std::string_view KindName() const;  // "a map", "a list", "a scalar", "nothing"
};

struct Node::Entry {
  Node first;
  Node second;
};

// Parses one document of at most 1 MiB, nested at most 64 deep. Duplicate keys, `<<`, tags, anchors, aliases,
// keys that are no scalars or that YAML 1.1 tools take for booleans, a second document, tabs and syntax
// errors are reported to `diagnostics`; what could be read is returned. After a syntax error that is a broken
// node.
Node ParseYaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace freshet
