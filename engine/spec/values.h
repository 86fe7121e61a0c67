#pragma once
// The types a key of the job file may have, beyond bool, int64_t, double, std::string, enums, lists and maps.
// Plain values that remember where they stood, so that later faults can name the place.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/spec/node.h"

namespace freshet {

struct Expr {  // an expression's text; compiled later, when its stream's columns are known
  std::string text;
  Position position;  // of the text's first character
  bool verbatim =
      true;  // the text stands in the file as it is: a place inside it is `position` plus an offset
  bool empty() const { return text.empty(); }
};
template <class Tag>
struct Name {  // a name that must be declared elsewhere
  std::string name;
  Position position;
  bool empty() const { return name.empty(); }
  bool operator==(const Name& other) const { return name == other.name; }
};
using StreamRef = Name<struct StreamTag>;  // a source, an operator, or `operator.side_output`
using FieldRef = Name<struct FieldTag>;    // a column of an input stream
using ModelRef = Name<struct ModelTag>;    // a key of `models:`

struct DurationValue {  // "3h"; written `Span` in parameters
  Duration micros = 0;
  constexpr operator Duration() const { return micros; }
};
using Span = DurationValue;
struct Secret {  // text that may come from ${env:…} or ${file:…}; never printed
  std::string value;
  bool hidden = false;  // it did come from there
};
struct ByteSize {  // "64MiB"
  int64_t bytes = 0;
  constexpr operator int64_t() const { return bytes; }
};
struct Fraction {  // 0.9 or 90%; in [0, 1]
  double value = 0;
  constexpr operator double() const { return value; }
};

// A map whose order is the file's. (No meaning hangs on the order; outputs are stable because of it.)
template <class T>
using Named = std::vector<std::pair<std::string, T>>;

// `key: a`, `key: [a, b]`, or by port: `key: {from: a, over: [b, c]}`.
struct KeyFields {
  std::vector<FieldRef> all;
  Named<std::vector<FieldRef>> by_port;
  const std::vector<FieldRef>& For(std::string_view port) const;
  bool empty() const { return all.empty() && by_port.empty(); }
};

struct ShapeBase;
struct Family;

// One of a family of named alternatives: `name`, or `{name: {parameters}}`.
struct Option {
  std::string_view name;
  std::string_view doc;
  const ShapeBase* shape = nullptr;           // null: takes no parameters
  std::shared_ptr<void> (*make)() = nullptr;  // default parameters
  const void* implementation = nullptr;       // what the family's owner hangs on it
};
struct Choice {
  Position position;
  const Option* option = nullptr;  // null: not given
  std::shared_ptr<void> parameters;
  explicit operator bool() const { return option != nullptr; }
  std::string_view name() const { return option == nullptr ? std::string_view{} : option->name; }
  template <class P>
  const P& As() const {
    return *static_cast<const P*>(parameters.get());
  }
};
struct Family {
  std::string_view what;  // "a loss"
  std::vector<Option> options;
  std::string_view written = "`name`, or `{name: {parameters}}`";
  const Option* Find(std::string_view name) const;
};
template <const Family& (*F)()>
struct ChoiceOf : Choice {
  ChoiceOf() = default;
  // The default of a key: must name an option of the family.
  explicit ChoiceOf(std::string_view name) {
    option = F().Find(name);
    if (option != nullptr && option->make != nullptr) parameters = option->make();
  }
};

// Whether an expression can name it: letters, digits and `_`, parts joined by dots, none starting with a
// digit.
bool IsColumnName(std::string_view name);
// Whether it may name a job, source, operator, model or sink: letters, digits, `-`, `_`, not starting with a
// digit.
bool IsPartName(std::string_view name);

// Names of an enum's values, in order from 0: specialise `static constexpr std::array<std::string_view, N>
// names`.
template <class E>
struct EnumNames;

}  // namespace freshet
