#include "engine/spec/node.h"

namespace freshet {

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.first.text == key) return &entry.second;
  }
  return nullptr;
}

std::string_view Node::KindName() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return "a scalar";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "nothing";
}

}  // namespace freshet
