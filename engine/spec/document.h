#pragma once
// The schema and the documentation of job files, both made from the shapes that read them. Pure, any thread.
#include <span>
#include <string>
#include <string_view>

#include "engine/spec/shape.h"

namespace freshet {

struct NamedShape {
  std::string_view name;  // an operator's `type:`
  const ShapeBase* shape = nullptr;
  std::string_view example;  // the job file's text that shows it; "" for none
};

// JSON Schema, draft 2020-12, of a whole job file; `model` is the shape of a body under `models:`.
std::string JobJsonSchema(std::span<const NamedShape> operators, const ShapeBase& model);
// docs/jobs.md: a table of keys for the frame, for each operator, for models, and for each choice.
std::string JobDocs(std::span<const NamedShape> operators, const ShapeBase& model);

}  // namespace freshet
