#pragma once
// What the schema and the documentation say of one shape's map, for all that holds one. Inside engine/spec
// only. Pure, any thread.
#include <string>
#include <string_view>

#include "engine/spec/shape.h"

namespace freshet::shape_internal {

// `more_properties`: members of `properties` besides the shape's own, as JSON text without braces.
std::string ShapeSchema(const ShapeBase& shape, size_t depth, std::string_view more_properties);

// Whether rows meet by a key at an operator of this shape: then its body may also hold `shards`, a ShardCount
// that the planner reads.
bool HasKeyFields(const ShapeBase& shape);
inline constexpr std::string_view kShardsDoc = "the shards of this operator's stage; default: the job's";

// The text of a key for people, and whether it has a meaning already.
std::string DocOf(const Key& key);

}  // namespace freshet::shape_internal
