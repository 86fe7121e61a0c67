#include <cmath>
#include <cstring>

#include <simdjson.h>

#include "engine/base/bytes.h"
#include "engine/format/json.h"

namespace freshet {

namespace {

constexpr size_t kMostBytes = 1 << 20;
constexpr size_t kMostDepth = 64;

using Element = simdjson::dom::element;
using Kind = simdjson::dom::element_type;

// What is looked for in an object: a field, or an object with more to look for.
struct Wanted {
  std::string key;
  int field = -1;
  std::vector<Wanted> inside;
};

void Insert(std::vector<Wanted>& wanted, std::span<const std::string> path, int field) {
  Wanted* found = nullptr;
  for (Wanted& known : wanted) {
    if (known.key == path[0] && known.field < 0 && path.size() > 1) found = &known;
  }
  if (found == nullptr) found = &wanted.emplace_back(Wanted{path[0], -1, {}});
  if (path.size() == 1) {
    found->field = field;
  } else {
    Insert(found->inside, path.subspan(1), field);
  }
}

std::string_view KindName(const Element& value) {
  switch (value.type()) {
    case Kind::ARRAY:
      return "a list";
    case Kind::OBJECT:
      return "an object";
    case Kind::STRING:
      return "a string";
    case Kind::BOOL:
      return "a boolean";
    case Kind::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

class JsonDecoder final : public Decoder {
 public:
  explicit JsonDecoder(std::vector<InputField> fields) : fields_(std::move(fields)), found_(fields_.size()) {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].path.empty()) fields_[i].path.push_back(fields_[i].name);
      Insert(root_, fields_[i].path, static_cast<int>(i));
    }
    [[maybe_unused]] const auto error =
        parser_.allocate(kMostBytes, kMostDepth);  // seen again at the first parse
  }

  std::optional<Rejection> Decode(std::string_view record, std::span<ColumnBuilder> row) override {
    if (std::optional<Rejection> bad = Parse(record)) return bad;
    for (size_t i = 0; i < fields_.size(); ++i) {
      std::optional<Rejection> bad = Append(fields_[i], found_[i], row[i]);
      if (!bad) continue;
      for (size_t taken = 0; taken < i; ++taken)
        row[taken].RemoveLast();
      return bad;
    }
    return std::nullopt;
  }

 private:
  struct Found {
    bool present = false;
    Element value;
  };

  std::optional<Rejection> Parse(std::string_view record) {
    if (record.size() > kMostBytes) return Rejection{"too_large", std::to_string(record.size()) + " bytes"};
    if (buffer_.size() < record.size() + simdjson::SIMDJSON_PADDING) {
      buffer_.resize(2 * record.size() + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(buffer_.data(), record.data(), record.size());
    std::memset(buffer_.data() + record.size(), ' ', simdjson::SIMDJSON_PADDING);
    Element root;
    const simdjson::error_code error = parser_.parse(buffer_.data(), record.size(), false).get(root);
    if (error == simdjson::DEPTH_ERROR) return Rejection{"too_deep", "more than 64 levels"};
    if (error == simdjson::UTF8_ERROR) return Rejection{"bad_encoding", "the record is not valid UTF-8"};
    if (error != simdjson::SUCCESS) return Rejection{"not_json", simdjson::error_message(error)};
    simdjson::dom::object object;
    if (root.get(object) != simdjson::SUCCESS) {
      return Rejection{"not_json", "the record is " + std::string(KindName(root)) + ", not an object"};
    }
    for (Found& found : found_)
      found.present = false;
    return Look(object, root_);
  }

  // Records mostly repeat the order of the fields, so each key is compared with the next wanted one first.
  std::optional<Rejection> Look(const simdjson::dom::object& object, const std::vector<Wanted>& wanted) {
    size_t next = 0;
    for (const auto [key, value] : object) {
      size_t at = next;
      for (size_t tried = 0; tried < wanted.size() && wanted[at].key != key; ++tried)
        at = (at + 1) % wanted.size();
      if (wanted[at].key != key) continue;
      next = (at + 1) % wanted.size();
      if (std::optional<Rejection> bad = Take(wanted[at], value)) return bad;
    }
    return std::nullopt;
  }

  std::optional<Rejection> Take(const Wanted& wanted, const Element& value) {
    if (wanted.field < 0) {
      simdjson::dom::object inside;
      if (value.is_null()) return std::nullopt;
      if (value.get(inside) != simdjson::SUCCESS) {
        return Rejection{"wrong_type",
                         "`" + wanted.key + "` is " + std::string(KindName(value)) + ", not an object"};
      }
      return Look(inside, wanted.inside);
    }
    Found& found = found_[static_cast<size_t>(wanted.field)];
    if (found.present) return Rejection{"duplicate_field", "`" + wanted.key + "` stands twice"};
    found = {true, value};
    return std::nullopt;
  }

  static Rejection WrongType(const InputField& field, const Element& value) {
    return {"wrong_type", "`" + field.name + "` is " + std::string(KindName(value)) + ", not " +
                              std::string(NameOf(field.type))};
  }
  static Rejection OutOfRange(const InputField& field) {
    return {"out_of_range", "`" + field.name + "` does not fit " + std::string(NameOf(field.type))};
  }

  std::optional<Rejection> Append(const InputField& field, const Found& found, ColumnBuilder& out) {
    if (!found.present || found.value.is_null()) {
      if (field.required) return Rejection{"missing_field", "`" + field.name + "` is absent"};
      out.AppendNull();
      return std::nullopt;
    }
    switch (field.type) {
      case Type::kBool: {
        bool value = false;
        if (found.value.get(value) != simdjson::SUCCESS) return WrongType(field, found.value);
        out.Append(value);
        return std::nullopt;
      }
      case Type::kInt64:
        return AppendInteger(field, found.value, out);
      case Type::kFloat64: {
        double value = 0;
        if (found.value.get(value) != simdjson::SUCCESS) return WrongType(field, found.value);
        out.Append(value);
        return std::nullopt;
      }
      case Type::kTimestamp:
      case Type::kDuration:
        return AppendTime(field, found.value, out);
      case Type::kString:
      case Type::kBytes:
        return AppendText(field, found.value, out);
      case Type::kListFloat64:
      case Type::kListString:
        return AppendList(field, found.value, out);
    }
    return std::nullopt;
  }

  static std::optional<Rejection> AppendInteger(const InputField& field, const Element& value,
                                                ColumnBuilder& out) {
    int64_t whole = 0;
    const simdjson::error_code error = value.get(whole);
    if (error == simdjson::SUCCESS) {
      out.Append(whole);
      return std::nullopt;
    }
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS) return WrongType(field, value);
    if (number != std::floor(number)) {
      return Rejection{"wrong_type", "`" + field.name + "` has a fraction, and is to be an int64"};
    }
    if (!(number >= -0x1p63 && number < 0x1p63)) return OutOfRange(field);
    out.Append(static_cast<int64_t>(number));
    return std::nullopt;
  }

  static std::optional<Rejection> AppendTime(const InputField& field, const Element& value,
                                             ColumnBuilder& out) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      const std::optional<int64_t> parsed =
          field.type == Type::kTimestamp ? ParseTimestamp(text) : ParseDuration(text);
      if (!parsed) {
        return Rejection{"wrong_type", "`" + field.name + "` is no " + std::string(NameOf(field.type)) +
                                           ": " + std::string(text.substr(0, 60))};
      }
      out.Append(*parsed);
      return std::nullopt;
    }
    int64_t whole = 0;
    if (value.get(whole) == simdjson::SUCCESS) return AppendScaled(field, whole, out);
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS) return WrongType(field, value);
    const double micros = number * MicrosPer(field.unit);
    if (!(micros >= -0x1p63 && micros < 0x1p63)) return OutOfRange(field);
    out.Append(static_cast<int64_t>(std::floor(micros)));
    return std::nullopt;
  }

  static double MicrosPer(TimeUnit unit) {
    switch (unit) {
      case TimeUnit::kSeconds:
        return 1e6;
      case TimeUnit::kMilliseconds:
        return 1e3;
      case TimeUnit::kMicroseconds:
        return 1;
      case TimeUnit::kNanoseconds:
        return 1e-3;
    }
    return 1;
  }

  static std::optional<Rejection> AppendScaled(const InputField& field, int64_t number, ColumnBuilder& out) {
    int64_t micros = 0;
    if (field.unit == TimeUnit::kNanoseconds) {
      micros = FloorTo(number, 1000) / 1000;
    } else if (__builtin_mul_overflow(number, static_cast<int64_t>(MicrosPer(field.unit)), &micros)) {
      return OutOfRange(field);
    }
    out.Append(micros);
    return std::nullopt;
  }

  std::optional<Rejection> AppendText(const InputField& field, const Element& value, ColumnBuilder& out) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return WrongType(field, value);
    if (field.type == Type::kBytes) {
      if (!FromBase64(text, bytes_)) return Rejection{"bad_encoding", "`" + field.name + "` is not base64"};
      text = bytes_;
    }
    bool known = field.values.empty();
    for (const std::string& allowed : field.values)
      known = known || allowed == text;
    if (!known) {
      return Rejection{"unknown_value",
                       "`" + field.name + "` is none of its values: " + std::string(text.substr(0, 60))};
    }
    out.Append(text);
    return std::nullopt;
  }

  std::optional<Rejection> AppendList(const InputField& field, const Element& value, ColumnBuilder& out) {
    simdjson::dom::array items;
    if (value.get(items) != simdjson::SUCCESS) return WrongType(field, value);
    numbers_.clear();
    texts_.clear();
    for (const Element item : items) {
      double number = 0;
      std::string_view text;
      if (field.type == Type::kListFloat64 ? item.get(number) != simdjson::SUCCESS
                                           : item.get(text) != simdjson::SUCCESS) {
        return Rejection{"wrong_type", "`" + field.name + "` holds " + std::string(KindName(item))};
      }
      numbers_.push_back(number);
      texts_.push_back(text);
    }
    if (field.type == Type::kListFloat64) {
      out.AppendList(numbers_);
    } else {
      out.AppendList(texts_);
    }
    return std::nullopt;
  }

  std::vector<InputField> fields_;
  std::vector<Wanted> root_;
  std::vector<Found> found_;
  simdjson::dom::parser parser_;
  std::vector<char> buffer_;
  std::string bytes_;
  std::vector<double> numbers_;
  std::vector<std::string_view> texts_;
};

}  // namespace

std::unique_ptr<Decoder> MakeJsonDecoder(std::vector<InputField> fields) {
  return std::make_unique<JsonDecoder>(std::move(fields));
}

}  // namespace freshet
