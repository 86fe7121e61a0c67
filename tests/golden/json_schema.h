#pragma once
// Whether a job file fits a JSON Schema, as an editor would tell: of the draft's words those that our schema
// uses. Plain scalars are what YAML 1.2's core schema makes of them. One thread.
#include <memory>
#include <string>

#include "engine/spec/node.h"

namespace freshet {

class JsonSchema {
 public:
  explicit JsonSchema(const std::string& text);
  ~JsonSchema();
  // The first fault, with its place; empty: none.
  std::string FaultOf(const Node& node) const;
  // Words of the schema that are not checked here, one a line.
  std::string unknown_words() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet
