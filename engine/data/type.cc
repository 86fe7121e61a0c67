#include "engine/data/type.h"

#include <algorithm>
#include <array>

namespace freshet {

namespace {
constexpr std::array<std::string_view, 9> kNames{
    "bool", "int64", "float64", "string", "bytes", "timestamp", "duration", "list<float64>", "list<string>"};
}

std::string_view NameOf(Type type) {
  return kNames[static_cast<size_t>(type)];
}

std::optional<Type> TypeNamed(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

std::optional<size_t> Schema::Find(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return i;
  }
  return std::nullopt;
}

bool Schema::Hides(std::string_view name) const {
  const std::optional<size_t> column = Find(name);
  return column ? !fields_[*column].known : open_;
}

bool Schema::HidesAny() const {
  return open_ ||
         std::any_of(fields_.begin(), fields_.end(), [](const Field& field) { return !field.known; });
}

bool Schema::operator==(const Schema& other) const {
  if (fields_.size() != other.fields_.size()) return false;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name != other.fields_[i].name || fields_[i].type != other.fields_[i].type) return false;
  }
  return true;
}

}  // namespace freshet
