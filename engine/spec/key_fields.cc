// The keys of operators and of sinks: one field or several, those of operators also by input.
#include <algorithm>

#include "engine/spec/job.h"
#include "engine/spec/scalar.h"

namespace freshet {

const std::vector<FieldRef>& KeyFields::For(std::string_view port) const {
  static const std::vector<FieldRef> kNone;
  if (by_port.empty()) return all;
  for (const auto& [name, fields] : by_port) {
    if (name == port) return fields;
  }
  return kNone;
}

namespace {

// A key of no fields would be the same of all rows.
void ReadFields(const Node& node, std::vector<FieldRef>& fields, ReadContext& context) {
  if (node.kind == Node::Kind::kList && node.items.empty()) {
    context.diagnostics.Error(node.position, "expected a field or several, found an empty list");
  }
  ReadValue(ValueOf<std::vector<FieldRef>>(), node, &fields, context);
}

// What ReadFields takes, as alternatives: "A,B" of `anyOf: [A, B]`.
std::string FieldsSchemas(size_t depth) {
  const std::string field = ValueOf<FieldRef>().JsonSchema(depth);
  return field + R"(,{"type":"array","minItems":1,"items":)" + field + '}';
}

std::string AnyOf(const std::string& schemas) {
  return R"({"anyOf":[)" + schemas + "]}";
}

class KeyFieldsType final : public ValueType {
 public:
  void Read(const Node& node, void* out, ReadContext& context) const override {
    const size_t before = context.diagnostics.errors();
    ReadKey(node, *static_cast<KeyFields*>(out), context);
    if (context.diagnostics.errors() != before) context.positions.Lose(out);  // nobody is to count its fields
  }
  std::string JsonSchema(size_t depth) const override {
    std::string ports;
    for (const std::string& port : Ports())
      ports += (ports.empty() ? "\"" : ",\"") + port + "\":" + AnyOf(FieldsSchemas(depth));
    return AnyOf(FieldsSchemas(depth) +
                 R"(,{"type":"object","minProperties":1,"additionalProperties":false,"properties":{)" +
                 ports + "}}");
  }
  std::string Text() const override { return "field, list of fields, or either by input"; }
  std::string Print(const void*) const override { return ""; }

 private:
  static const std::vector<std::string>& Ports() {
    static const std::vector<std::string> kPorts{"from", "over", "labels", "table"};
    return kPorts;
  }
  static void ReadKey(const Node& node, KeyFields& key, ReadContext& context) {
    if (node.kind != Node::Kind::kMap) {
      ReadFields(node, key.all, context);
      return;
    }
    if (node.entries.empty())
      context.diagnostics.Error(node.position, "expected a field for each input, found none");
    key.by_port.reserve(node.entries.size());
    for (const Node::Entry& entry : node.entries) {
      if (std::find(Ports().begin(), Ports().end(), entry.first.text) == Ports().end()) {
        context.diagnostics.Error(entry.first.position, "no input is called " + QuoteText(entry.first.text) +
                                                            Suggestion(entry.first.text, Ports()));
        continue;
      }
      key.by_port.emplace_back(entry.first.text, std::vector<FieldRef>());
      ReadFields(entry.second, key.by_port.back().second, context);
    }
  }
};

class SinkKeyType final : public ValueType {
 public:
  void Read(const Node& node, void* out, ReadContext& context) const override {
    if (node.kind == Node::Kind::kMap) {
      context.diagnostics.Error(node.position, "a sink has one input: write `key: name` or `key: [a, b]`");
      return;
    }
    ReadFields(node, static_cast<SinkKey*>(out)->fields, context);
  }
  std::string JsonSchema(size_t depth) const override { return AnyOf(FieldsSchemas(depth)); }
  std::string Text() const override { return "field or list of fields"; }
  std::string Print(const void*) const override { return ""; }
};

}  // namespace

const ValueType& ValueOfImpl<KeyFields>::Get() {
  static const KeyFieldsType type;
  return type;
}
const ValueType& ValueOfImpl<SinkKey>::Get() {
  static const SinkKeyType type;
  return type;
}

}  // namespace freshet
