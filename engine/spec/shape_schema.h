#pragma once
// JSON Schema of one shape's map, for the values that hold one. Inside engine/spec only. Pure, any thread.
#include <string>
#include <string_view>

#include "engine/spec/shape.h"

namespace freshet::shape_internal {

// `more_properties`: members of `properties` besides the shape's own, as JSON text without braces.
std::string ShapeSchema(const ShapeBase& shape, size_t depth, std::string_view more_properties);

// The text of a key for people, and whether it has a meaning already.
std::string DocOf(const Key& key);

}  // namespace freshet::shape_internal
