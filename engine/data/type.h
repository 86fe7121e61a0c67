#pragma once
// The types a column may have, and the schema of a stream. Objects have no type of their own: the object `m`
// is the columns whose names start with "m.".
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

enum class Type : uint8_t {
  kBool,
  kInt64,
  kFloat64,
  kString,
  kBytes,
  kTimestamp,  // int64 microseconds since the Unix epoch
  kDuration,   // int64 microseconds
  kListFloat64,
  kListString,
};

std::string_view NameOf(Type type);  // "float64", "list<string>", …
std::optional<Type> TypeNamed(std::string_view name);
constexpr bool IsText(Type t) {
  return t == Type::kString || t == Type::kBytes;
}
constexpr bool IsList(Type t) {
  return t == Type::kListFloat64 || t == Type::kListString;
}

struct Field {
  std::string name;
  Type type = Type::kFloat64;
  std::vector<std::string> values;  // the closed set of a string field, where its source declares one
  // False only while a job file with faults is checked: what type it has was lost to one that was reported.
  bool known = true;
  // Of a prediction that is only compared: sinks write it only where they name it, and what it cannot be made
  // of fails no row.
  bool shadow = false;
};

class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}
  const std::vector<Field>& fields() const { return fields_; }
  const Field& operator[](size_t i) const { return fields_[i]; }
  size_t size() const { return fields_.size(); }
  std::optional<size_t> Find(std::string_view name) const;
  void Add(Field field) { fields_.push_back(std::move(field)); }
  bool operator==(const Schema& other) const;  // same names and types in the same order

  // Open only while a job file with faults is checked: for one that was reported there may be more columns.
  void Open() { open_ = true; }
  bool open() const { return open_; }
  // Whether nothing can be said of the column `name`, not even that it is missing: a fault that was reported
  // is in the way, and a second message would only tell the author what follows from the first.
  bool Hides(std::string_view name) const;
  bool HidesAny() const;

 private:
  std::vector<Field> fields_;
  bool open_ = false;
};

}  // namespace freshet
