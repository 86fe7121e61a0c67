#include "engine/spec/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/number.h"
#include "engine/spec/json_text.h"
#include "engine/spec/scalar.h"
#include "engine/spec/shape.h"

namespace freshet {

const Option* Family::Find(std::string_view name) const {
  for (const Option& option : options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

namespace {

bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsWord(char c) {
  return IsWordStart(c) || (c >= '0' && c <= '9');
}

}  // namespace

bool IsColumnName(std::string_view name) {
  bool start = true;
  for (const char c : name) {
    if (start ? !IsWordStart(c) : !(IsWord(c) || c == '.')) return false;
    start = c == '.';
  }
  return !start;
}

bool IsPartName(std::string_view name) {
  return !name.empty() && IsWordStart(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsWord(c) || c == '-'; });
}

namespace {

// One class a scalar type: a static function reads and prints T, the rest is words.
struct Words {
  std::string_view text;
  std::string_view schema;
};
template <class T>
class Scalar final : public ValueType {
 public:
  using Reader = bool (*)(const Node&, Diagnostics&, T&);
  using Printer = std::string (*)(const T&);
  constexpr Scalar(Words words, Reader read, Printer print) : words_(words), read_(read), print_(print) {}
  void Read(const Node& node, void* out, ReadContext& context) const override {
    T value = *static_cast<T*>(out);
    if (read_(node, context.diagnostics, value)) *static_cast<T*>(out) = std::move(value);
  }
  std::string JsonSchema(size_t) const override { return std::string(words_.schema); }
  std::string Text() const override { return std::string(words_.text); }
  std::string Print(const void* value) const override { return print_(*static_cast<const T*>(value)); }

 private:
  Words words_;
  Reader read_;
  Printer print_;
};

bool ReadString(const Node& node, Diagnostics& diagnostics, std::string& out) {
  return TextOf(node, "a text", diagnostics, out);
}

bool ReadSecret(const Node& node, Diagnostics& diagnostics, Secret& out) {
  if (node.kind != Node::Kind::kScalar) {
    diagnostics.Error(node.position, "expected a text, found " + Shown(node));
    return false;
  }
  out.value = node.text;
  out.hidden = node.secret;
  return true;
}

bool ReadSpan(const Node& node, Diagnostics& diagnostics, Span& out) {
  constexpr std::string_view kWhat = "a duration such as 500ms, 30s, 3h or 7d";
  std::string text;
  if (!TextOf(node, kWhat, diagnostics, text)) return false;
  const auto parsed = ParseDuration(text);
  const bool negative = text.starts_with('-');
  if (parsed && !negative) {
    out.micros = *parsed;
    return true;
  }
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
    diagnostics.Error(node.position, QuoteText(text) + " has no unit; write " + text + "s, " + text + "ms, " +
                                         text + "m or " + text + "h");
  } else if (parsed) {
    diagnostics.Error(node.position, QuoteText(text) + " is negative; a duration here is 0s or longer");
  } else {
    diagnostics.Error(node.position, "expected " + std::string(kWhat) + ", found " + Shown(node));
  }
  return false;
}

bool ReadByteSize(const Node& node, Diagnostics& diagnostics, ByteSize& out) {
  constexpr std::string_view kWhat = "a size such as 64MiB";
  std::string text;
  if (!TextOf(node, kWhat, diagnostics, text)) return false;
  const auto parsed = ParseByteSize(text);
  const bool number = text.find_first_not_of("0123456789.") == std::string::npos;
  if (!parsed || *parsed < 0 || (number && (node.quoted || (text[0] == '0' && text.size() > 1)))) {
    diagnostics.Error(node.position, "expected " + std::string(kWhat) + ", found " + Shown(node));
    return false;
  }
  out.bytes = *parsed;
  return true;
}

bool ReadFraction(const Node& node, Diagnostics& diagnostics, Fraction& out) {
  constexpr std::string_view kWhat = "a fraction such as 0.9 or 90%";
  std::string text;
  if (!TextOf(node, kWhat, diagnostics, text)) return false;
  Node number = node;
  const bool percent = text.ends_with('%') && text.find_first_not_of("0123456789.%") == std::string::npos;
  if (percent) {
    number.text.pop_back();
    number.quoted = false;
  }
  double value = 0;
  if (!DoubleOf(number, kWhat, diagnostics, value)) return false;
  if (percent) value /= 100;
  if (value < 0 || value > 1) {
    diagnostics.Error(node.position, QuoteText(text) + " is outside 0 to 1");
    return false;
  }
  out.value = value;
  return true;
}

bool ReadExpr(const Node& node, Diagnostics& diagnostics, Expr& out) {
  if (!TextOf(node, "an expression", diagnostics, out.text)) return false;
  out.position = node.position;
  out.verbatim = node.verbatim;
  if (node.quoted && node.verbatim) ++out.position.column;
  if (out.text.find_first_not_of(" \t\n") != std::string::npos) return true;
  diagnostics.Error(node.position, "expected an expression, found an empty text");
  return false;
}

template <class Tag>
bool ReadName(const Node& node, Diagnostics& diagnostics, Name<Tag>& out, std::string_view what) {
  if (!TextOf(node, what, diagnostics, out.name)) return false;
  out.position = node.position;
  if (!out.name.empty()) return true;
  diagnostics.Error(node.position, "expected " + std::string(what) + ", found an empty text");
  return false;
}

constexpr std::string_view kAnyScalar = R"({"type":["string","number","boolean"]})";
constexpr std::string_view kText = R"({"type":"string"})";
constexpr std::string_view kName = R"({"type":"string","minLength":1})";

std::string PrintText(const std::string& text) {
  if (text.empty()) return "";
  return text.find_first_of(":#,[]{}&*!|>'\"%@` ") == std::string::npos ? text : '"' + text + '"';
}

class AnyNode final : public ValueType {
 public:
  void Read(const Node& node, void* out, ReadContext&) const override { *static_cast<Node*>(out) = node; }
  std::string JsonSchema(size_t) const override { return "{}"; }
  std::string Text() const override { return "any value"; }
  std::string Print(const void*) const override { return ""; }
};

}  // namespace

const ValueType& ValueOfImpl<bool>::Get() {
  static const Scalar<bool> type({"boolean", R"({"type":"boolean"})"}, BoolOf,
                                 [](const bool& b) { return std::string(b ? "true" : "false"); });
  return type;
}
const ValueType& ValueOfImpl<int64_t>::Get() {
  static const Scalar<int64_t> type({"integer", R"({"type":"integer"})"}, IntOf,
                                    [](const int64_t& i) { return std::to_string(i); });
  return type;
}
const ValueType& ValueOfImpl<double>::Get() {
  static const Scalar<double> type(
      {"number", R"({"type":"number"})"},
      [](const Node& node, Diagnostics& diagnostics, double& out) {
        return DoubleOf(node, "a number", diagnostics, out);
      },
      [](const double& d) { return std::isfinite(d) ? FormatDouble(d) : std::string(); });
  return type;
}
const ValueType& ValueOfImpl<std::string>::Get() {
  static const Scalar<std::string> type({"text", kText}, ReadString, PrintText);
  return type;
}
const ValueType& ValueOfImpl<Secret>::Get() {
  static const Scalar<Secret> type({"text, or a secret: `${env:NAME}` or `${file:PATH}`", kAnyScalar},
                                   ReadSecret, [](const Secret&) { return std::string(); });
  return type;
}
const ValueType& ValueOfImpl<Span>::Get() {
  // As ParseDuration has it: whole numbers, units from large to small, each once.
  static const Scalar<Span> type(
      {"duration", R"({"type":"string","minLength":1,"pattern":"^([0-9]+w)?([0-9]+d)?)"
                   R"(([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?$"})"},
      ReadSpan, [](const Span& s) { return FormatDuration(s); });
  return type;
}
const ValueType& ValueOfImpl<ByteSize>::Get() {
  static const Scalar<ByteSize> type(
      {"size", R"({"anyOf":[{"type":"integer","minimum":0},)"
               R"({"type":"string","pattern":"^([0-9]+([.][0-9]*)?|[.][0-9]+) ?([KMGT]iB|[kMGT]?B)$"}]})"},
      ReadByteSize, [](const ByteSize& b) { return FormatByteSize(b); });
  return type;
}
const ValueType& ValueOfImpl<Fraction>::Get() {
  static const Scalar<Fraction> type(
      {"fraction",
       R"({"anyOf":[{"type":"number","minimum":0,"maximum":1},)"
       R"({"type":"string","pattern":"^((0|[1-9][0-9]?)([.][0-9]*)?|[.][0-9]+|100([.]0*)?)%$"}]})"},
      ReadFraction, [](const Fraction& f) { return FormatDouble(f); });
  return type;
}
const ValueType& ValueOfImpl<Expr>::Get() {
  static const Scalar<Expr> type({"expression", kAnyScalar}, ReadExpr,
                                 [](const Expr& e) { return PrintText(e.text); });
  return type;
}
const ValueType& ValueOfImpl<StreamRef>::Get() {
  static const Scalar<StreamRef> type(
      {"stream", kName},
      [](const Node& node, Diagnostics& diagnostics, StreamRef& out) {
        if (node.kind != Node::Kind::kList) return ReadName(node, diagnostics, out, "a stream's name");
        diagnostics.Error(node.position,
                          "expected a stream's name, found a list; to unite streams here is not "
                          "available yet");
        return false;
      },
      [](const StreamRef& r) { return r.name; });
  return type;
}
const ValueType& ValueOfImpl<FieldRef>::Get() {
  static const Scalar<FieldRef> type(
      {"field", kName},
      [](const Node& node, Diagnostics& diagnostics, FieldRef& out) {
        return ReadName(node, diagnostics, out, "a field's name");
      },
      [](const FieldRef& r) { return r.name; });
  return type;
}
const ValueType& ValueOfImpl<ModelRef>::Get() {
  static const Scalar<ModelRef> type(
      {"model", kName},
      [](const Node& node, Diagnostics& diagnostics, ModelRef& out) {
        return ReadName(node, diagnostics, out, "a model's name");
      },
      [](const ModelRef& r) { return r.name; });
  return type;
}
const ValueType& ValueOfImpl<Node>::Get() {
  static const AnyNode type;
  return type;
}

}  // namespace freshet
