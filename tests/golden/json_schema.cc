#include "tests/golden/json_schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace freshet {
namespace {

namespace json = boost::json;

const std::set<std::string_view> kWords{"type",          "properties", "required", "additionalProperties",
                                        "propertyNames", "items",      "anyOf",    "oneOf",
                                        "allOf",         "if",         "then",     "const",
                                        "enum",          "$ref",       "pattern",  "minLength",
                                        "minItems",      "minimum",    "maximum",  "minProperties",
                                        "maxProperties"};
const std::set<std::string_view> kNotes{"$schema", "$defs", "title", "description", "default"};

// What a scalar is, by YAML 1.2, section 10.3.2.
json::value ValueOfScalar(const Node& node) {
  if (node.kind == Node::Kind::kNull) return nullptr;
  const std::string& text = node.text;
  if (node.quoted) return json::value(text);
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  static const std::regex number_text("[-+]?([.][0-9]+|[0-9]+([.][0-9]*)?)([eE][-+]?[0-9]+)?");
  if (std::regex_match(text, number_text)) {
    double number = 0;
    const size_t sign = text.starts_with('+') ? 1 : 0;
    std::from_chars(text.data() + sign, text.data() + text.size(), number);
    return number;
  }
  return json::value(text);
}

json::value InstanceOf(const Node& node) {
  if (node.kind == Node::Kind::kList) {
    json::array list;
    for (const Node& item : node.items)
      list.push_back(InstanceOf(item));
    return list;
  }
  if (node.kind != Node::Kind::kMap) return ValueOfScalar(node);
  json::object map;
  for (const Node::Entry& entry : node.entries)
    map[entry.first.text] = InstanceOf(entry.second);
  return map;
}

bool IsOfType(const json::value& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  const bool number = type == "integer" && value.is_number();
  return number && std::floor(value.to_number<double>()) == value.to_number<double>();
}

bool Equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

}  // namespace

// Each function gives the first fault at `place`; empty: none.
struct JsonSchema::Impl {
  json::value root;
  mutable std::map<std::string, std::regex> patterns;  // a job has the same names and texts many times

  static std::string Fault(const std::string& place, const std::string& what) {
    return (place.empty() ? "/" : place) + ": " + what;
  }

  std::string Check(const json::value& schema, const json::value& value, const std::string& place) const {
    if (schema.is_bool()) return schema.get_bool() ? "" : Fault(place, "nothing may stand here");
    for (const auto& [word, argument] : schema.get_object()) {
      std::string fault = CheckWord(word, argument, schema.get_object(), value, place);
      if (!fault.empty()) return fault;
    }
    return "";
  }

  std::string CheckWord(std::string_view word, const json::value& argument, const json::object& schema,
                        const json::value& value, const std::string& place) const {
    if (word == "$ref") return Check(Referred(argument.get_string()), value, place);
    if (word == "type" || word == "const" || word == "enum") return CheckValue(word, argument, value, place);
    if (word.ends_with("Of")) return CheckSome(word, argument.get_array(), value, place);
    if (word == "if") {
      return Check(argument, value, place).empty() ? Check(schema.at("then"), value, place) : "";
    }
    if (value.is_object()) return CheckMap(word, argument, schema, value.get_object(), place);
    if (value.is_array()) return CheckList(word, argument, value.get_array(), place);
    if (value.is_string()) return CheckText(word, argument, std::string(value.get_string()), place);
    if (value.is_number()) return CheckNumber(word, argument, value.to_number<double>(), place);
    return "";
  }

  const json::value& Referred(std::string_view reference) const {
    EXPECT_TRUE(reference.starts_with("#/$defs/")) << reference;
    return root.at("$defs").at(reference.substr(std::string_view("#/$defs/").size()));
  }

  static std::string CheckValue(std::string_view word, const json::value& argument, const json::value& value,
                                const std::string& place) {
    const auto fits = [&](const json::value& one) {
      return word == "type" ? IsOfType(value, one.get_string()) : Equal(one, value);
    };
    const bool good = argument.is_array() && word != "const"
                          ? std::any_of(argument.get_array().begin(), argument.get_array().end(), fits)
                          : fits(argument);
    return good ? "" : Fault(place, json::serialize(value) + " is not of " + json::serialize(argument));
  }

  std::string CheckSome(std::string_view word, const json::array& schemas, const json::value& value,
                        const std::string& place) const {
    size_t good = 0;
    std::string faults;
    for (const json::value& schema : schemas) {
      const std::string fault = Check(schema, value, place);
      good += fault.empty() ? 1 : 0;
      faults += fault.empty() ? "" : "(" + fault + ")";
    }
    const bool enough = word == "allOf" ? good == schemas.size() : word == "oneOf" ? good == 1 : good > 0;
    return enough ? "" : Fault(place, std::string(word) + " " + faults);
  }

  std::string CheckMap(std::string_view word, const json::value& argument, const json::object& schema,
                       const json::object& map, const std::string& place) const {
    if (word == "required") {
      for (const json::value& name : argument.get_array()) {
        if (!map.contains(name.get_string())) return Fault(place, json::serialize(name) + " is missing");
      }
    }
    if (word == "minProperties" && map.size() < argument.to_number<size_t>()) return Fault(place, "too few");
    if (word == "maxProperties" && map.size() > argument.to_number<size_t>()) return Fault(place, "too many");
    for (const auto& [name, value] : map) {
      const bool known = schema.contains("properties") && schema.at("properties").get_object().contains(name);
      const std::string below = place + "/" + std::string(name);
      std::string fault;
      if (word == "properties" && known) fault = Check(argument.at(name), value, below);
      if (word == "additionalProperties" && !known) fault = Check(argument, value, below);
      if (word == "propertyNames") fault = Check(argument, json::value(name), below);
      if (!fault.empty()) return fault;
    }
    return "";
  }

  std::string CheckList(std::string_view word, const json::value& argument, const json::array& list,
                        const std::string& place) const {
    if (word == "minItems" && list.size() < argument.to_number<size_t>()) return Fault(place, "too few");
    for (size_t i = 0; word == "items" && i < list.size(); ++i) {
      std::string fault = Check(argument, list[i], place + "/" + std::to_string(i));
      if (!fault.empty()) return fault;
    }
    return "";
  }

  std::string CheckText(std::string_view word, const json::value& argument, const std::string& text,
                        const std::string& place) const {
    if (word == "minLength" && text.size() < argument.to_number<size_t>()) return Fault(place, "too short");
    if (word != "pattern") return "";
    const std::string pattern(argument.get_string());
    const auto found = patterns.try_emplace(pattern, pattern).first;
    return std::regex_search(text, found->second) ? "" : Fault(place, text + " is not " + pattern);
  }

  static std::string CheckNumber(std::string_view word, const json::value& argument, double number,
                                 const std::string& place) {
    if (word == "minimum" && number < argument.to_number<double>()) return Fault(place, "too small");
    if (word == "maximum" && number > argument.to_number<double>()) return Fault(place, "too large");
    return "";
  }

  static void CollectWords(const json::value& schema, std::set<std::string>& unknown) {
    if (!schema.is_object()) return;
    for (const auto& [word, argument] : schema.get_object()) {
      if (kWords.count(word) == 0 && kNotes.count(word) == 0) unknown.insert(std::string(word));
      if (word == "properties" || word == "$defs") {
        for (const auto& [name, one] : argument.get_object())
          CollectWords(one, unknown);
      } else if (argument.is_array() && word != "enum" && word != "required" && word != "type") {
        for (const json::value& one : argument.get_array())
          CollectWords(one, unknown);
      } else if (kNotes.count(word) == 0 && word != "const") {
        CollectWords(argument, unknown);
      }
    }
  }
};

JsonSchema::JsonSchema(const std::string& text) : impl_(std::make_unique<Impl>()) {
  json::error_code error;
  impl_->root = json::parse(text, error);
  EXPECT_FALSE(error) << "the schema is no JSON: " << error.message();
}

JsonSchema::~JsonSchema() = default;

std::string JsonSchema::FaultOf(const Node& node) const {
  return impl_->Check(impl_->root, InstanceOf(node), "");
}

std::string JsonSchema::unknown_words() const {
  std::set<std::string> unknown;
  Impl::CollectWords(impl_->root, unknown);
  std::string text;
  for (const std::string& word : unknown)
    text += word + "\n";
  return text;
}

}  // namespace freshet
