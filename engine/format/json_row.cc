#include "engine/format/json_row.h"

#include <algorithm>
#include <cassert>

#include "engine/base/bytes.h"
#include "engine/format/json_number.h"

namespace freshet {
namespace {

using Kind = JsonScalar::Kind;

// The front of `text`, at most `most` bytes, not cut inside a character.
std::string_view Front(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<uint8_t>(text[most]) & 0xc0) == 0x80)
    --most;
  return text.substr(0, most);
}

std::string Describe(const JsonScalar& scalar) {
  switch (scalar.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kFalse:
      return "false";
    case Kind::kTrue:
      return "true";
    case Kind::kNumber:
      return "the number " + Excerpt(scalar.text);
    case Kind::kString:
      break;
  }
  return "the string \"" + Excerpt(scalar.text) + "\"";
}

std::string Wanted(Type type) {
  switch (type) {
    case Type::kBool:
      return "true or false";
    case Type::kInt64:
      return "an integer";
    case Type::kFloat64:
      return "a number";
    case Type::kString:
      return "a string";
    case Type::kBytes:
      return "a string in base64";
    case Type::kTimestamp:
      return "an RFC 3339 timestamp or a number";
    case Type::kDuration:
      return "a duration such as \"1h30m\" or a number";
    case Type::kListFloat64:
      return "a list of numbers";
    case Type::kListString:
      return "a list of strings";
  }
  return {};
}

bool WrongType(const InputField& field, std::string_view found, Rejection& bad) {
  std::string detail = "`" + field.name + "` must be " + Wanted(field.type) + ", not ";
  bad = Reject("wrong_type", detail.append(found));
  return false;
}

bool OutOfRange(const InputField& field, const JsonScalar& scalar, Rejection& bad) {
  bad = Reject("out_of_range", "`" + field.name + "`: " + Excerpt(scalar.text) + " does not fit " +
                                   std::string(NameOf(field.type)));
  return false;
}

// The power of ten that turns a number of the unit into microseconds.
int ShiftOf(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return 6;
    case TimeUnit::kMilliseconds:
      return 3;
    case TimeUnit::kMicroseconds:
      return 0;
    case TimeUnit::kNanoseconds:
      return -3;
  }
  return 0;
}

bool SetInteger(const InputField& field, const JsonScalar& scalar, ColumnBuilder& column, Rejection& bad) {
  if (scalar.kind != Kind::kNumber) return WrongType(field, Describe(scalar), bad);
  int64_t value = 0;
  switch (ReadInteger(scalar.text, 0, false, value)) {
    case NumberFault::kNone:
      column.Append(value);
      return true;
    case NumberFault::kFraction:
      return WrongType(field, Describe(scalar), bad);
    case NumberFault::kTooLarge:
      break;
  }
  return OutOfRange(field, scalar, bad);
}

bool ReadNumber(const InputField& field, const JsonScalar& scalar, double& value, Rejection& bad) {
  if (scalar.kind != Kind::kNumber) return WrongType(field, Describe(scalar), bad);
  if (ReadFloat(scalar.text, value) != NumberFault::kNone) return OutOfRange(field, scalar, bad);
  return true;
}

bool SetFloat(const InputField& field, const JsonScalar& scalar, ColumnBuilder& column, Rejection& bad) {
  double value = 0;
  if (!ReadNumber(field, scalar, value, bad)) return false;
  column.Append(value);
  return true;
}

bool SetTime(const InputField& field, const JsonScalar& scalar, ColumnBuilder& column, Rejection& bad) {
  const bool timestamp = field.type == Type::kTimestamp;
  if (scalar.kind == Kind::kString) {
    const auto time = timestamp ? ParseTimestamp(scalar.text) : ParseDuration(scalar.text);
    if (!time) return WrongType(field, Describe(scalar), bad);
    column.Append(*time);
    return true;
  }
  if (scalar.kind != Kind::kNumber) return WrongType(field, Describe(scalar), bad);
  int64_t value = 0;
  const bool fits = ReadInteger(scalar.text, ShiftOf(field.unit), true, value) == NumberFault::kNone;
  // The years that RFC 3339 can write, so that whatever is read can be written.
  if (!fits || (timestamp && (value < kFirstTimestamp || value > kLastTimestamp))) {
    return OutOfRange(field, scalar, bad);
  }
  column.Append(value);
  return true;
}

}  // namespace

Rejection Reject(std::string_view reason, std::string detail) {
  detail.resize(Front(detail, 200).size());
  return {reason, std::move(detail)};
}

std::string Excerpt(std::string_view text) {
  constexpr size_t kMost = 60;
  std::string out(Front(text, kMost));
  if (out.size() < text.size()) out += "…";
  return out;
}

JsonRow::JsonRow(std::vector<InputField> fields) : fields_(std::move(fields)), lists_(fields_.size()) {
  for (size_t i = 0; i < fields_.size(); ++i) {
    InputField& field = fields_[i];
    if (field.path.empty()) field.path.push_back(field.name);
    std::sort(field.values.begin(), field.values.end());
    if (field.required) required_.push_back(i);
  }
}

void JsonRow::Begin(std::span<ColumnBuilder> columns) {
  columns_ = columns;
  before_ = columns.empty() ? 0 : columns[0].rows();
  assert(columns.size() == fields_.size());
  assert(std::all_of(columns.begin(), columns.end(),
                     [&](const ColumnBuilder& column) { return column.rows() == before_; }));
}

bool JsonRow::Set(size_t field, const JsonScalar& scalar, Rejection& bad) {
  if (scalar.kind == Kind::kNull) return true;
  const InputField& wanted = fields_[field];
  ColumnBuilder& column = columns_[field];
  switch (wanted.type) {
    case Type::kBool:
      if (scalar.kind != Kind::kTrue && scalar.kind != Kind::kFalse) break;
      column.Append(scalar.kind == Kind::kTrue);
      return true;
    case Type::kInt64:
      return SetInteger(wanted, scalar, column, bad);
    case Type::kFloat64:
      return SetFloat(wanted, scalar, column, bad);
    case Type::kTimestamp:
    case Type::kDuration:
      return SetTime(wanted, scalar, column, bad);
    case Type::kString:
    case Type::kBytes:
      return SetText(wanted, scalar, column, bad);
    case Type::kListFloat64:
    case Type::kListString:
      break;
  }
  return WrongType(wanted, Describe(scalar), bad);
}

bool JsonRow::SetText(const InputField& field, const JsonScalar& scalar, ColumnBuilder& column,
                      Rejection& bad) {
  if (scalar.kind != Kind::kString) return WrongType(field, Describe(scalar), bad);
  std::string_view text = scalar.text;
  if (field.type == Type::kBytes) {
    if (!FromBase64(text, bytes_)) {
      bad = Reject("bad_encoding", "`" + field.name + "` is no base64: " + Excerpt(text));
      return false;
    }
    text = bytes_;
  }
  if (!field.values.empty() && !std::binary_search(field.values.begin(), field.values.end(), text)) {
    bad = Reject("unknown_value",
                 "`" + field.name + "`: \"" + Excerpt(scalar.text) + "\" is none of its `values`");
    return false;
  }
  column.Append(text);
  return true;
}

bool JsonRow::BeginList(size_t field, Rejection& bad) {
  if (!IsList(fields_[field].type)) return WrongType(fields_[field], "a list", bad);
  lists_[field].numbers.clear();
  lists_[field].texts.clear();
  return true;
}

bool JsonRow::AddItem(size_t field, const JsonScalar& scalar, Rejection& bad) {
  const InputField& wanted = fields_[field];
  if (wanted.type == Type::kListFloat64) {
    return ReadNumber(wanted, scalar, lists_[field].numbers.emplace_back(), bad);
  }
  if (scalar.kind != Kind::kString) return WrongType(wanted, "a list with " + Describe(scalar), bad);
  lists_[field].texts.push_back(scalar.text);
  return true;
}

void JsonRow::EndList(size_t field) {
  if (fields_[field].type == Type::kListFloat64) {
    columns_[field].AppendList(lists_[field].numbers);
  } else {
    columns_[field].AppendList(lists_[field].texts);
  }
}

bool JsonRow::NotObject(size_t field, Rejection& bad) {
  return WrongType(fields_[field], "an object", bad);
}

bool JsonRow::End(Rejection& bad) {
  for (const size_t i : required_) {
    if (IsThere(i)) continue;
    bad = Reject("missing_field", "`" + fields_[i].name + "` is required, and null or absent");
    return false;
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!IsThere(i)) columns_[i].AppendNull();
  }
  return true;
}

void JsonRow::TakeBack() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (IsThere(i)) columns_[i].RemoveLast();
  }
}

}  // namespace freshet
