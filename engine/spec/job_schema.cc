#include <algorithm>

#include "engine/spec/document.h"
#include "engine/spec/job.h"
#include "engine/spec/json_text.h"
#include "engine/spec/shape_schema.h"

namespace freshet {
namespace {

// The frame leaves bodies of operators and models open; here they get their shapes.
std::string Bodies(std::string_view definition, std::string_view doc) {
  return R"({"description":)" + JsonQuote(doc) + R"(,"type":"object","propertyNames":{"pattern":)" +
         JsonQuote("^[A-Za-z_][A-Za-z0-9_-]*$") + R"(},"additionalProperties":{"$ref":)" +
         JsonQuote("#/$defs/" + std::string(definition)) + "}}";
}

std::string OperatorSchema(std::span<const NamedShape> operators) {
  std::string names;
  std::string cases;
  for (const NamedShape& one : operators) {
    const std::string type = JsonQuote(one.name);
    names += (names.empty() ? "" : ",") + type;
    cases += (cases.empty() ? "" : ",") + std::string(R"({"if":{"properties":{"type":{"const":)") + type +
             R"(}}},"then":{"$ref":)" + JsonQuote("#/$defs/operator." + std::string(one.name)) + "}}";
  }
  std::string schema =
      R"({"type":"object","required":["type"],"properties":{"type":{"enum":[)" + names + "]}}";
  if (!cases.empty()) schema += R"(,"allOf":[)" + cases + ']';
  return schema + '}';
}

}  // namespace

bool shape_internal::HasKeyFields(const ShapeBase& shape) {
  return std::any_of(shape.keys.begin(), shape.keys.end(),
                     [](const Key& key) { return key.type == &ValueOf<KeyFields>(); });
}

std::string JobJsonSchema(std::span<const NamedShape> operators, const ShapeBase& model) {
  ShapeBase frame = FrameSpec::Describe();
  std::string bodies;
  std::erase_if(frame.keys, [&](const Key& key) {
    if (key.name != "operators" && key.name != "models") return false;
    bodies += (bodies.empty() ? "" : ",") + JsonQuote(key.name) + ':' +
              Bodies(key.name == "models" ? "model" : "operator", key.doc);
    return true;
  });
  std::string schema = shape_internal::ShapeSchema(frame, 0, bodies);
  std::string definitions = R"("operator":)" + OperatorSchema(operators);
  definitions += R"(,"model":)" + shape_internal::ShapeSchema(model, 0, "");
  for (const NamedShape& one : operators) {
    std::string more = R"("type":{"const":)" + JsonQuote(one.name) + '}';
    if (shape_internal::HasKeyFields(*one.shape)) {
      std::string shards = ValueOf<ShardCount>().JsonSchema(1);
      shards.insert(1, R"("description":)" + JsonQuote(shape_internal::kShardsDoc) + ',');
      more += R"(,"shards":)" + shards;
    }
    definitions += ',' + JsonQuote("operator." + std::string(one.name)) + ':' +
                   shape_internal::ShapeSchema(*one.shape, 0, more);
  }
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"A Freshet job","$defs":{)" +
         definitions + "}," + schema.substr(1) + '\n';
}

}  // namespace freshet
