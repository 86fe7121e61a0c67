#include "engine/spec/shape.h"

#include <algorithm>

#include "engine/spec/json_text.h"
#include "engine/spec/scalar.h"
#include "engine/spec/shape_schema.h"

namespace freshet {

void Positions::Follow(const void* from, const void* to, size_t bytes) {
  const auto* begin = static_cast<const char*>(from);
  std::map<const void*, Place> followed;
  const auto last = at_.lower_bound(begin + bytes);
  for (auto at = at_.lower_bound(begin); at != last; at = at_.erase(at)) {
    followed[static_cast<const char*>(to) + (static_cast<const char*>(at->first) - begin)] = at->second;
  }
  at_.merge(followed);
}

namespace {

constexpr size_t kSchemaDepth = 12;

const Key* FindKey(const ShapeBase& shape, std::string_view name) {
  for (const Key& key : shape.keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> NamesOf(const ShapeBase& shape) {
  std::vector<std::string> names;
  for (const Key& key : shape.keys)
    names.emplace_back(key.name);
  return names;
}

void ReportMissing(const Key& key, const Node& node, Diagnostics& diagnostics) {
  diagnostics.Error(node.position,
                    "the key `" + std::string(key.name) + "` is missing: " + std::string(key.doc));
}

void ReadShort(const ShapeBase& shape, const Node& node, void* params, ReadContext& context) {
  for (const Key& key : shape.keys) {
    context.positions.Set(key.member(params), node.position);
    if (key.name == shape.short_key) {
      ReadValue(*key.type, node, key.member(params), context);
    } else if (key.required) {
      context.positions.Lose(key.member(params));
      ReportMissing(key, node, context.diagnostics);
    }
  }
}

// A key that is not there. `unknown`: one that is there means nothing, and may be meant for it.
void LeaveOut(const ShapeBase& shape, const Key& key, const Node& node, bool unknown, void* params,
              ReadContext& context) {
  context.positions.Set(key.member(params), node.position);
  if (key.required || unknown) context.positions.Lose(key.member(params));
  if (key.required && !Misspelt(shape, key.name, node)) ReportMissing(key, node, context.diagnostics);
}

// A key whose meaning is not there yet may hold its default: refused rather than ignored.
void RefuseNotYet(const ShapeBase& shape, const Key& key, const Node& node, void* params,
                  Diagnostics& diagnostics) {
  const std::shared_ptr<void> defaults = shape.make();
  const std::string printed = key.type->Print(key.member(params));
  if (key.type->nested() == nullptr && printed == key.type->Print(key.member(defaults.get()))) return;
  diagnostics.Error(node.position, "`" + std::string(key.name) + (printed.empty() ? "" : ": " + printed) +
                                       "` is not available yet; leave it out, and " +
                                       std::string(key.not_yet));
}

// The entry of a key that is not declared: kept by a shape with a rest, else a fault.
void ReadUnknown(const ShapeBase& shape, const Node::Entry& entry, void* params, ReadContext& context) {
  if (shape.rest != nullptr) {
    static_cast<Named<Node>*>(shape.rest(params))->emplace_back(entry.first.text, entry.second);
    return;
  }
  if (entry.first.broken) return;
  if (shape.keys.empty()) {
    context.diagnostics.Error(entry.first.position, "unknown key " + QuoteText(entry.first.text) +
                                                        "; there are no parameters here");
    return;
  }
  context.diagnostics.Error(entry.first.position, "unknown key " + QuoteText(entry.first.text) +
                                                      Suggestion(entry.first.text, NamesOf(shape)));
}

// What a shape says of entries that are no keys: their `properties`, and the keywords besides.
std::string RestSchema(const ShapeBase& shape, size_t depth, std::string& properties) {
  if (shape.rest == nullptr) return R"(,"additionalProperties":false)";
  if (shape.rest_family == nullptr) return "";
  std::string one_of;
  for (const Option& option : shape.rest_family().options) {
    std::string schema = ValueOf<Expr>().JsonSchema(depth + 1);
    schema.insert(1, R"("description":)" + JsonQuote(option.doc) + ',');
    properties += (properties.empty() ? "" : ",") + JsonQuote(option.name) + ':' + schema;
    one_of += (one_of.empty() ? "" : ",") + std::string(R"({"required":[)") + JsonQuote(option.name) + "]}";
  }
  return R"(,"additionalProperties":false,"oneOf":[)" + one_of + ']';
}

}  // namespace

bool Misspelt(const ShapeBase& shape, std::string_view key, const Node& node) {
  if (shape.rest != nullptr) return false;
  const std::string meant = "`" + std::string(key) + "`?";
  return std::any_of(node.entries.begin(), node.entries.end(), [&](const Node::Entry& entry) {
    return FindKey(shape, entry.first.text) == nullptr &&
           Suggestion(entry.first.text, NamesOf(shape), false).ends_with(meant);
  });
}

void ReadValue(const ValueType& type, const Node& node, void* out, ReadContext& context) {
  context.positions.Set(out, node.position);
  // A tree that is read later takes its being broken along: whoever reads it then must stay silent too.
  const size_t errors = context.diagnostics.errors();
  const size_t lost = context.positions.lost();
  if (!node.broken || &type == &ValueOf<Node>()) type.Read(node, out, context);
  const bool of_inner = context.positions.lost() != lost;
  if (node.broken || (context.diagnostics.errors() != errors && !of_inner)) context.positions.Lose(out);
}

void Read(const ShapeBase& shape, const Node& node, void* params, ReadContext& context) {
  if (node.broken) return;
  if (!shape.short_key.empty() && (node.kind == Node::Kind::kScalar || node.kind == Node::Kind::kList)) {
    ReadShort(shape, node, params, context);
    return;
  }
  if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull) {
    context.diagnostics.Error(
        node.position, "expected a map of keys, found " + Shown(node) + Suggestion("", NamesOf(shape)));
    return;
  }
  const bool unknown =
      shape.rest == nullptr && std::any_of(node.entries.begin(), node.entries.end(), [&](const auto& entry) {
        return FindKey(shape, entry.first.text) == nullptr;
      });
  for (const Key& key : shape.keys) {
    const Node* value = node.Find(key.name);
    if (value == nullptr) {
      LeaveOut(shape, key, node, unknown, params, context);
      continue;
    }
    if (value->kind == Node::Kind::kNull && !value->broken && key.type != &ValueOf<Node>()) {
      context.diagnostics.Error(value->position, "the key `" + std::string(key.name) +
                                                     "` has no value; give " + key.type->Text() +
                                                     (key.required ? "" : ", or leave the key out"));
      context.positions.Set(key.member(params), value->position);
      context.positions.Lose(key.member(params));
      continue;
    }
    ReadValue(*key.type, *value, key.member(params), context);
    if (!key.not_yet.empty() && !value->broken) RefuseNotYet(shape, key, *value, params, context.diagnostics);
  }
  for (const Node::Entry& entry : node.entries) {
    if (FindKey(shape, entry.first.text) == nullptr) ReadUnknown(shape, entry, params, context);
  }
}

namespace shape_internal {

std::string DocOf(const Key& key) {
  std::string doc(key.doc);
  if (!key.not_yet.empty()) doc += " (not available yet: leave it out, and " + std::string(key.not_yet) + ")";
  return doc;
}

// The schema of a shape's map, and of what may stand for it. Inside another its key describes it.
std::string ShapeSchema(const ShapeBase& shape, size_t depth, std::string_view more_properties) {
  if (depth > kSchemaDepth) return "{}";
  std::string properties(more_properties);
  std::string required;
  const std::shared_ptr<void> defaults = shape.make == nullptr ? nullptr : shape.make();
  for (const Key& key : shape.keys) {
    std::string schema = key.type->JsonSchema(depth + 1);
    std::string notes = R"("description":)" + JsonQuote(DocOf(key));
    const std::string printed =
        key.required || defaults == nullptr ? std::string() : key.type->Print(key.member(defaults.get()));
    if (!printed.empty()) notes += R"(,"default":)" + JsonOfDefault(printed);
    if (!printed.empty() && !key.not_yet.empty()) notes += R"(,"const":)" + JsonOfDefault(printed);
    schema.insert(1, schema.size() > 2 ? notes + ',' : notes);
    properties += (properties.empty() ? "" : ",") + JsonQuote(key.name) + ':' + schema;
    if (key.required) required += (required.empty() ? "" : ",") + JsonQuote(key.name);
  }
  const std::string rest = RestSchema(shape, depth, properties);
  std::string map = R"({"type":"object")";
  if (!shape.summary.empty() && depth == 0) map += R"(,"description":)" + JsonQuote(shape.summary);
  map += R"(,"properties":{)" + properties + '}';
  if (!required.empty()) map += R"(,"required":[)" + required + ']';
  map += rest + '}';
  const Key* brief = shape.short_key.empty() ? nullptr : FindKey(shape, shape.short_key);
  if (brief == nullptr) return map;
  return R"({"anyOf":[)" + map + ',' + brief->type->JsonSchema(depth + 1) + "]}";
}

}  // namespace shape_internal

std::string JsonSchemaOf(const ShapeBase& shape) {
  return shape_internal::ShapeSchema(shape, 0, "");
}

}  // namespace freshet
