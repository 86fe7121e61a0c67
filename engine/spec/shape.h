#pragma once
// One declaration of the keys of a map in the job file. Parser, diagnostics, JSON Schema and docs/jobs.md are
// all made from it:
//
//   struct Filter {
//     StreamRef from;
//     Expr where;
//     static const ShapeBase& Describe() {
//       static const auto shape = Shape<Filter>("keeps the rows for which `where` is true")
//           .Required<&Filter::from>("from", "the stream read")
//           .Required<&Filter::where>("where", "a boolean expression");
//       return shape;
//     }
//   };
//
// An optional key's default is its member's initializer, printed in the docs. A member may be bool, int64_t,
// double, std::string, Secret, Span, ByteSize, Fraction, Expr, StreamRef, FieldRef, ModelRef, KeyFields, an
// enum with EnumNames, ChoiceOf<F>, a struct with Describe(), and std::vector, Named or std::optional of
// these; and Node, left unread.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/spec/diagnostics.h"
#include "engine/spec/values.h"

namespace freshet {

// Where each member that was read stood: faults found later point there. Addresses stay valid because lists
// are sized before their items are read and parameters do not move afterwards.
class Positions {
 public:
  void Set(const void* member, Position at) { at_[member].position = at; }
  // The position of `member`, or of nothing known: {0, 0}.
  Position Of(const void* member) const {
    const auto found = at_.find(member);
    return found == at_.end() ? Position{} : found->second.position;
  }
  // Whether the author may have written something else than `member` holds, and was told so: it could not be
  // read, or is left out where an unknown key may mean it. What follows from its value is nobody's fault. Of
  // a list or map only where it is lost as a whole, not with one of its items.
  bool Lost(const void* member) const {
    const auto found = at_.find(member);
    return found != at_.end() && found->second.lost;
  }
  void Lose(const void* member) {
    lost_ += Lost(member) ? 0 : 1;
    at_[member].lost = true;
  }
  size_t lost() const { return lost_; }
  // The `bytes` that lay at `from` lie at `to` now, and members with them.
  void Follow(const void* from, const void* to, size_t bytes);

 private:
  struct Place {
    Position position;
    bool lost = false;
  };
  std::map<const void*, Place> at_;
  size_t lost_ = 0;
};

struct ReadContext {
  Diagnostics& diagnostics;
  Positions& positions;
};

struct ShapeBase;

class ValueType {
 public:
  virtual ~ValueType() = default;
  virtual void Read(const Node& node, void* out, ReadContext& context) const = 0;
  // One JSON object. `depth` counts the maps around it: shapes may be recursive, and end somewhere.
  virtual std::string JsonSchema(size_t depth) const = 0;
  virtual std::string Text() const = 0;  // for people: "duration", "list of expressions"
  virtual std::string Print(
      const void* value) const = 0;  // a default, as it would stand in the file; "" for none
  virtual bool is_list() const { return false; }
  // What the documentation must also explain: the map it is, or holds, and how it is reached ("", ".<name>",
  // "[]").
  virtual const ShapeBase* nested() const { return nullptr; }
  virtual std::string_view nested_path() const { return ""; }
  virtual const Family* family() const { return nullptr; }
};
// Reads `node` at its place into `out`, unless its fault is known already. Every value is read through this.
void ReadValue(const ValueType& type, const Node& node, void* out, ReadContext& context);

struct Key {
  std::string_view name;
  std::string_view doc;
  bool required = false;
  const ValueType* type = nullptr;
  void* (*member)(void*) = nullptr;
  // Not empty: only the default has a meaning so far, other values are refused. Says what holds then.
  std::string_view not_yet = {};
};

struct ShapeBase {
  std::string_view summary;
  std::vector<Key> keys;
  std::shared_ptr<void> (*make)() = nullptr;  // default parameters
  // A scalar or list that stands for the whole map (`missing: indicator`): the key it is read into; "" for
  // none.
  std::string_view short_key;
  // Keys that are not declared are read as an entry of this member (Node); used by aggregates, whose key is
  // the name of the function. Null: unknown keys are errors.
  void* (*rest)(void*) = nullptr;  // member of type Named<Node>
  // What such an entry is, for schema and documentation: `<option>: expression`.
  const Family& (*rest_family)() = nullptr;
};

template <class T, class Enable = void>
struct ValueOfImpl;  // specialised below and in values
template <class T>
const ValueType& ValueOf() {
  return ValueOfImpl<T>::Get();
}

namespace shape_internal {
template <class M>
struct MemberOf;
template <class P, class T>
struct MemberOf<T P::*> {
  using Params = P;
  using Value = T;
};
}  // namespace shape_internal

template <class P>
struct Shape : ShapeBase {
  explicit Shape(std::string_view summary_text) {
    summary = summary_text;
    make = [] { return std::shared_ptr<void>(std::make_shared<P>()); };
  }
  template <auto M>
  Shape& Required(std::string_view name, std::string_view doc) {
    return Add<M>(name, doc, true);
  }
  template <auto M>
  Shape& Optional(std::string_view name, std::string_view doc) {
    return Add<M>(name, doc, false);
  }
  // Of the key before: see Key::not_yet.
  Shape& NotYet(std::string_view instead) {
    keys.back().not_yet = instead;
    return *this;
  }
  // Lets a scalar or list stand for the map {name: it}.
  Shape& Short(std::string_view name) {
    short_key = name;
    return *this;
  }
  template <auto M>
  Shape& Rest(const Family& (*family)() = nullptr) {
    rest_family = family;
    rest = [](void* params) -> void* { return &(static_cast<P*>(params)->*M); };
    return *this;
  }

 private:
  template <auto M>
  Shape& Add(std::string_view name, std::string_view doc, bool required) {
    using Value = typename shape_internal::MemberOf<decltype(M)>::Value;
    keys.push_back({name, doc, required, &ValueOf<Value>(),
                    [](void* params) -> void* { return &(static_cast<P*>(params)->*M); }});
    return *this;
  }
};

// Reads `node` (a map) into `params`; reports all faults: unknown keys with suggestions, missing keys, wrong
// values. The place of a member that was not given is that of the map.
void Read(const ShapeBase& shape, const Node& node, void* params, ReadContext& context);
// Whether an unknown key of the map `node` is told to be `key`: what it holds is lost, and a second message
// of that says nothing new.
bool Misspelt(const ShapeBase& shape, std::string_view key, const Node& node);
std::string JsonSchemaOf(const ShapeBase& shape);

// --- the closed list ---

#define FRESHET_VALUE(T)           \
  template <>                      \
  struct ValueOfImpl<T> {          \
    static const ValueType& Get(); \
  };
FRESHET_VALUE(bool)
FRESHET_VALUE(int64_t)
FRESHET_VALUE(double)
FRESHET_VALUE(std::string)
FRESHET_VALUE(Secret)
FRESHET_VALUE(Span)
FRESHET_VALUE(ByteSize)
FRESHET_VALUE(Fraction)
FRESHET_VALUE(Expr)
FRESHET_VALUE(StreamRef)
FRESHET_VALUE(FieldRef)
FRESHET_VALUE(ModelRef)
FRESHET_VALUE(KeyFields)
FRESHET_VALUE(Node)
#undef FRESHET_VALUE

namespace shape_internal {

// Erased access to a container, so that reading is written once and not per type.
struct ListAccess {
  void (*resize)(void* list, size_t size);
  void* (*item)(void* list, size_t i);
  size_t (*size)(const void* list);
};
struct NamedAccess {
  void (*resize)(void* map, size_t size);
  std::string* (*name)(void* map, size_t i);
  void* (*item)(void* map, size_t i);
  size_t (*size)(const void* map);
};
const ValueType& MakeListType(const ValueType& item, ListAccess access);  // kept for the process's life
const ValueType& MakeNamedType(const ValueType& item, NamedAccess access);
const ValueType& MakeOptionalType(const ValueType& item, void* (*emplace)(void*),
                                  const void* (*get)(const void*));
const ValueType& MakeEnumType(const std::string_view* names, size_t count, void (*set)(void*, size_t),
                              size_t (*get)(const void*));
const ValueType& MakeStructType(const ShapeBase& (*describe)());  // called late: shapes may be recursive
const ValueType& MakeChoiceType(const Family& (*family)());

}  // namespace shape_internal

template <class T>
struct ValueOfImpl<std::vector<T>> {
  static const ValueType& Get() {
    static const ValueType& type = shape_internal::MakeListType(
        ValueOf<T>(), {[](void* l, size_t n) { static_cast<std::vector<T>*>(l)->resize(n); },
                       [](void* l, size_t i) -> void* { return &(*static_cast<std::vector<T>*>(l))[i]; },
                       [](const void* l) { return static_cast<const std::vector<T>*>(l)->size(); }});
    return type;
  }
};
template <class T>
struct ValueOfImpl<Named<T>> {
  static const ValueType& Get() {
    static const ValueType& type = shape_internal::MakeNamedType(
        ValueOf<T>(), {[](void* m, size_t n) { static_cast<Named<T>*>(m)->resize(n); },
                       [](void* m, size_t i) { return &(*static_cast<Named<T>*>(m))[i].first; },
                       [](void* m, size_t i) -> void* { return &(*static_cast<Named<T>*>(m))[i].second; },
                       [](const void* m) { return static_cast<const Named<T>*>(m)->size(); }});
    return type;
  }
};
template <class T>
struct ValueOfImpl<std::optional<T>> {
  static const ValueType& Get() {
    static const ValueType& type = shape_internal::MakeOptionalType(
        ValueOf<T>(), [](void* o) -> void* { return &static_cast<std::optional<T>*>(o)->emplace(); },
        [](const void* o) -> const void* {
          const auto& value = *static_cast<const std::optional<T>*>(o);
          return value ? &*value : nullptr;
        });
    return type;
  }
};
template <class E>
struct ValueOfImpl<E, std::enable_if_t<std::is_enum_v<E>>> {
  static const ValueType& Get() {
    static const ValueType& type = shape_internal::MakeEnumType(
        EnumNames<E>::names.data(), EnumNames<E>::names.size(),
        [](void* e, size_t i) { *static_cast<E*>(e) = static_cast<E>(i); },
        [](const void* e) { return static_cast<size_t>(*static_cast<const E*>(e)); });
    return type;
  }
};
template <const Family& (*F)()>
struct ValueOfImpl<ChoiceOf<F>> {
  static const ValueType& Get() {
    static const ValueType& type = shape_internal::MakeChoiceType(F);
    return type;
  }
};
template <class P>
struct ValueOfImpl<P, std::void_t<decltype(P::Describe())>> {
  static const ValueType& Get() {
    static const ValueType& type = shape_internal::MakeStructType(&P::Describe);
    return type;
  }
};

// An option of a family whose parameters are P.
template <class P>
Option OptionOf(std::string_view name, std::string_view doc, const void* implementation = nullptr) {
  return {name, doc, &P::Describe(), [] { return std::shared_ptr<void>(std::make_shared<P>()); },
          implementation};
}
inline Option PlainOption(std::string_view name, std::string_view doc, const void* implementation = nullptr) {
  return {name, doc, nullptr, nullptr, implementation};
}

}  // namespace freshet
