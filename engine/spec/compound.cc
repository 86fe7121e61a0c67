// The values made of others: lists, maps by name, optionals, enums, maps with a shape, choices.
#include <algorithm>
#include <deque>
#include <mutex>

#include "engine/spec/json_text.h"
#include "engine/spec/scalar.h"
#include "engine/spec/shape.h"
#include "engine/spec/shape_schema.h"

namespace freshet::shape_internal {
namespace {

// Types made at first use, kept for the process's life; made under the lock of the function-local statics
// that ask.
template <class T, class... Args>
const ValueType& Keep(Args&&... args) {
  static std::mutex mutex;
  static std::deque<T> kept;
  const std::lock_guard lock(mutex);
  return kept.emplace_back(std::forward<Args>(args)...);
}

class ListType final : public ValueType {
 public:
  ListType(const ValueType& item, ListAccess access) : item_(item), access_(access) {}
  // One item is a list of one, except where the items are lists or maps of keys themselves.
  void Read(const Node& node, void* out, ReadContext& context) const override {
    if (IsOneItem(node)) {
      access_.resize(out, 1);
      ReadValue(item_, node, access_.item(out, 0), context);
      return;
    }
    if (node.kind != Node::Kind::kList) {
      context.diagnostics.Error(node.position, "expected " + Text() + ", found " + Shown(node));
      return;
    }
    access_.resize(out, node.items.size());
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = node.items[i];
      if (item_.is_list() && item.kind != Node::Kind::kList && !item.broken) {
        context.diagnostics.Error(item.position, "expected " + item_.Text() + ", found " + Shown(item));
        context.positions.Lose(access_.item(out, i));
      } else {
        ReadValue(item_, item, access_.item(out, i), context);
      }
    }
  }
  std::string JsonSchema(size_t depth) const override {
    if (!TakesOneItem()) return Bracketed(depth);
    return R"({"anyOf":[)" + Bracketed(depth) + ',' + item_.JsonSchema(depth) + "]}";
  }
  std::string Text() const override { return "list of " + item_.Text(); }
  std::string Print(const void* value) const override {
    std::string out;
    auto* list = const_cast<void*>(value);  // access is written once, for reading too
    for (size_t i = 0; i < access_.size(value); ++i) {
      out += (i == 0 ? "[" : ", ") + item_.Print(access_.item(list, i));
    }
    return out.empty() ? out : out + ']';
  }
  bool is_list() const override { return true; }
  const ShapeBase* nested() const override { return item_.nested(); }
  std::string_view nested_path() const override { return "[]"; }
  const Family* family() const override { return item_.family(); }

 private:
  bool TakesOneItem() const { return !item_.is_list() && item_.nested() == nullptr; }
  bool IsOneItem(const Node& node) const {
    const bool is_choice =
        node.kind == Node::Kind::kMap && node.entries.size() == 1 && item_.family() != nullptr;
    return TakesOneItem() && (node.kind == Node::Kind::kScalar || is_choice);
  }
  std::string Bracketed(size_t depth) const {
    const auto* lists = dynamic_cast<const ListType*>(&item_);
    return R"({"type":"array","items":)" + (lists ? lists->Bracketed(depth) : item_.JsonSchema(depth)) + '}';
  }

  const ValueType& item_;
  ListAccess access_;
};

class NamedType final : public ValueType {
 public:
  NamedType(const ValueType& item, NamedAccess access) : item_(item), access_(access) {}
  // Which names are good is for whoever reads the map to say: each has a rule of its own.
  void Read(const Node& node, void* out, ReadContext& context) const override {
    if (node.kind != Node::Kind::kMap) {
      context.diagnostics.Error(node.position, "expected " + Text() + ", found " + Shown(node));
      return;
    }
    access_.resize(out, node.entries.size());
    for (size_t i = 0; i < node.entries.size(); ++i) {
      const Node& name = node.entries[i].first;
      const Node& value = node.entries[i].second;
      *access_.name(out, i) = name.text;
      context.positions.Set(access_.name(out, i), name.position);
      if (value.kind == Node::Kind::kNull && !value.broken) {
        context.diagnostics.Error(value.position,
                                  QuoteText(name.text) + " has no value; give " + item_.Text());
        Node nothing = value;
        nothing.broken = true;  // reported: also to whoever reads it later
        ReadValue(item_, nothing, access_.item(out, i), context);
        continue;
      }
      ReadValue(item_, value, access_.item(out, i), context);
    }
  }
  std::string JsonSchema(size_t depth) const override {
    return R"({"type":"object","propertyNames":{"pattern":"^[A-Za-z0-9_.-]+$"},"additionalProperties":)" +
           item_.JsonSchema(depth) + '}';
  }
  std::string Text() const override { return "map from a name to " + item_.Text(); }
  std::string Print(const void*) const override { return ""; }
  const ShapeBase* nested() const override { return item_.nested(); }
  std::string_view nested_path() const override { return ".<name>"; }
  const Family* family() const override { return item_.family(); }

 private:
  const ValueType& item_;
  NamedAccess access_;
};

class OptionalType final : public ValueType {
 public:
  OptionalType(const ValueType& item, void* (*emplace)(void*), const void* (*get)(const void*))
      : item_(item), emplace_(emplace), get_(get) {}
  void Read(const Node& node, void* out, ReadContext& context) const override {
    ReadValue(item_, node, emplace_(out), context);
  }
  std::string JsonSchema(size_t depth) const override { return item_.JsonSchema(depth); }
  std::string Text() const override { return item_.Text(); }
  std::string Print(const void* value) const override {
    const void* given = get_(value);
    return given == nullptr ? "" : item_.Print(given);
  }
  bool is_list() const override { return item_.is_list(); }
  const ShapeBase* nested() const override { return item_.nested(); }
  std::string_view nested_path() const override { return item_.nested_path(); }
  const Family* family() const override { return item_.family(); }

 private:
  const ValueType& item_;
  void* (*emplace_)(void*);
  const void* (*get_)(const void*);
};

class EnumType final : public ValueType {
 public:
  EnumType(const std::string_view* names, size_t count, void (*set)(void*, size_t),
           size_t (*get)(const void*))
      : names_(names, names + count), set_(set), get_(get) {}
  void Read(const Node& node, void* out, ReadContext& context) const override {
    std::string text;
    if (!TextOf(node, Text(), context.diagnostics, text)) return;
    const auto found = std::find(names_.begin(), names_.end(), text);
    if (found == names_.end()) {
      context.diagnostics.Error(node.position,
                                QuoteText(text) + " is not known here" + Suggestion(text, names_));
    } else {
      set_(out, static_cast<size_t>(found - names_.begin()));
    }
  }
  std::string JsonSchema(size_t) const override {
    std::string out = R"({"enum":[)";
    for (size_t i = 0; i < names_.size(); ++i)
      out += (i == 0 ? "" : ",") + JsonQuote(names_[i]);
    return out + "]}";
  }
  std::string Text() const override {
    std::string out;
    for (size_t i = 0; i < names_.size(); ++i) {
      out += (i == 0 ? "" : i + 1 == names_.size() ? " or " : ", ") + names_[i];
    }
    return out;
  }
  std::string Print(const void* value) const override {
    const size_t i = get_(value);
    return i < names_.size() ? names_[i] : "";
  }

 private:
  std::vector<std::string> names_;
  void (*set_)(void*, size_t);
  size_t (*get_)(const void*);
};

class StructType final : public ValueType {
 public:
  explicit StructType(const ShapeBase& (*describe)()) : describe_(describe) {}
  void Read(const Node& node, void* out, ReadContext& context) const override {
    freshet::Read(describe_(), node, out, context);
  }
  std::string JsonSchema(size_t depth) const override { return ShapeSchema(describe_(), depth, ""); }
  std::string Text() const override { return "map"; }
  std::string Print(const void*) const override { return ""; }
  const ShapeBase* nested() const override { return &describe_(); }

 private:
  const ShapeBase& (*describe_)();
};

class ChoiceType final : public ValueType {
 public:
  explicit ChoiceType(const Family& (*get)()) : family_(get) {}
  void Read(const Node& node, void* out, ReadContext& context) const override {
    auto& choice = *static_cast<Choice*>(out);
    const bool bare = node.kind == Node::Kind::kScalar;
    if (!bare && (node.kind != Node::Kind::kMap || node.entries.size() != 1)) {
      context.diagnostics.Error(
          node.position,
          "expected " + Text() + " as a name or {name: {…}}, found " +
              (node.kind == Node::Kind::kMap ? std::to_string(node.entries.size()) + " keys" : Shown(node)));
      return;
    }
    const Node& word = bare ? node : node.entries[0].first;
    std::string name;
    if (!TextOf(word, Text(), context.diagnostics, name)) return;
    const Option* option = family_().Find(name);
    if (option == nullptr) {
      context.diagnostics.Error(word.position, QuoteText(name) + " is not " + std::string(family_().what) +
                                                   Suggestion(name, Names()));
      return;
    }
    choice.position = word.position;
    choice.option = option;
    choice.parameters = option->make == nullptr ? nullptr : option->make();
    ReadParameters(*option, bare ? nullptr : &node.entries[0].second, node, choice, context);
  }
  std::string JsonSchema(size_t depth) const override {
    std::string names;
    std::string properties;
    for (const Option& option : family_().options) {
      names += (names.empty() ? "" : ",") + JsonQuote(option.name);
      std::string schema = option.shape == nullptr ? R"({"type":["object","null"],"maxProperties":0})"
                                                   : ShapeSchema(*option.shape, depth + 1, "");
      schema.insert(1, R"("description":)" + JsonQuote(option.doc) + ',');
      properties += (properties.empty() ? "" : ",") + JsonQuote(option.name) + ':' + schema;
    }
    return R"({"anyOf":[{"enum":[)" + names +
           R"(]},{"type":"object","minProperties":1,"maxProperties":1,"additionalProperties":false,"properties":{)" +
           properties + "}}]}";
  }
  std::string Text() const override { return std::string(family_().what); }
  std::string Print(const void* value) const override {
    return std::string(static_cast<const Choice*>(value)->name());
  }
  const Family* family() const override { return &family_(); }

 private:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Option& option : family_().options)
      names.emplace_back(option.name);
    return names;
  }
  static void ReadParameters(const Option& option, const Node* parameters, const Node& node, Choice& choice,
                             ReadContext& context) {
    if (option.shape == nullptr) {
      const bool none = parameters == nullptr || parameters->broken ||
                        parameters->kind == Node::Kind::kNull ||
                        (parameters->kind == Node::Kind::kMap && parameters->entries.empty());
      if (!none) {
        context.diagnostics.Error(parameters->position,
                                  "`" + std::string(option.name) + "` takes no parameters");
      }
      return;
    }
    Node nothing;
    nothing.position = node.position;
    freshet::Read(*option.shape, parameters == nullptr ? nothing : *parameters, choice.parameters.get(),
                  context);
  }
  const Family& (*family_)();
};

}  // namespace

const ValueType& MakeListType(const ValueType& item, ListAccess access) {
  return Keep<ListType>(item, access);
}
const ValueType& MakeNamedType(const ValueType& item, NamedAccess access) {
  return Keep<NamedType>(item, access);
}
const ValueType& MakeOptionalType(const ValueType& item, void* (*emplace)(void*),
                                  const void* (*get)(const void*)) {
  return Keep<OptionalType>(item, emplace, get);
}
const ValueType& MakeEnumType(const std::string_view* names, size_t count, void (*set)(void*, size_t),
                              size_t (*get)(const void*)) {
  return Keep<EnumType>(names, count, set, get);
}
const ValueType& MakeStructType(const ShapeBase& (*describe)()) {
  return Keep<StructType>(describe);
}
const ValueType& MakeChoiceType(const Family& (*family)()) {
  return Keep<ChoiceType>(family);
}

}  // namespace freshet::shape_internal
