#include <cstring>

#include <simdjson.h>

#include "engine/format/json.h"
#include "engine/format/json_number.h"
#include "engine/format/json_paths.h"
#include "engine/format/json_row.h"

namespace freshet {
namespace {

namespace ondemand = simdjson::ondemand;
using Kind = JsonScalar::Kind;

constexpr size_t kMostBytes = 1 << 20;
constexpr size_t kMostDepth = 64;

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Whether every backslash begins an escape of RFC 8259, section 7.
bool EscapesAreWellFormed(std::string_view text) {
  for (size_t i = text.find('\\'); i < text.size(); i = text.find('\\', i)) {
    if (i + 1 == text.size()) return false;
    const char escape = text[i + 1];
    i += 2;
    if (escape == 'u') {
      for (size_t end = i + 4; i < end; ++i) {
        if (i >= text.size() || !IsHex(text[i])) return false;
      }
    } else if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

// simdjson finds the tokens and checks UTF-8, quotes and brackets. It walks lazily, so this decoder visits
// every value and checks every token itself, also of fields that nobody reads: a record is good as a whole or
// not at all.
class JsonDecoder final : public Decoder {
 public:
  explicit JsonDecoder(std::vector<InputField> fields) : row_(std::move(fields)), paths_(row_.fields()) {}

  std::optional<Rejection> Decode(std::string_view record, std::span<ColumnBuilder> row) override {
    if (record.size() > kMostBytes) {
      return Reject("too_large",
                    std::to_string(record.size()) + " bytes, more than the 1 MiB a record may have");
    }
    row_.Begin(row);
    ++round_;
    if (ReadRecord(record) && row_.End(bad_)) return std::nullopt;
    row_.TakeBack();
    return std::move(bad_);
  }

 private:
  bool ReadRecord(std::string_view record);
  bool ReadObject(ondemand::object object, JsonPaths* paths, size_t depth);
  bool ReadList(ondemand::array list, JsonPaths::Entry* entry, size_t depth);
  bool ReadValue(ondemand::value& value, JsonPaths::Entry* entry, size_t depth);
  bool ReadMember(ondemand::value& value, JsonPaths::Entry& entry, size_t depth);
  bool ReadItem(ondemand::value& value, std::span<const uint32_t> fields, size_t depth);
  bool ReadScalar(ondemand::value& value, bool wanted, JsonScalar& scalar);
  bool FindEntry(ondemand::field& field, JsonPaths* paths, JsonPaths::Entry*& entry);

  bool Refuse(std::string_view reason, std::string detail);
  bool Refuse(simdjson::error_code error);
  bool RefuseEscapes(std::string_view raw);
  bool RefuseToken(std::string_view problem, std::string_view token);
  bool CheckDepth(size_t depth) {
    return depth <= kMostDepth || Refuse("too_deep", "more than 64 objects and lists inside each other");
  }

  JsonRow row_;
  JsonPaths paths_;
  ondemand::parser parser_;
  std::vector<char> buffer_;  // the record, padded
  std::string_view padded_;   // the part of it that may be read
  uint64_t round_ = 0;
  Rejection bad_;
};

bool JsonDecoder::Refuse(std::string_view reason, std::string detail) {
  bad_ = Reject(reason, std::move(detail));
  return false;
}

bool JsonDecoder::Refuse(simdjson::error_code error) {
  if (error == simdjson::UTF8_ERROR) return Refuse("bad_encoding", "the record is not valid UTF-8");
  return Refuse("not_json", simdjson::error_message(error));
}

// Of a string that could not be unescaped: what is well-formed is an escaped half of a surrogate pair.
bool JsonDecoder::RefuseEscapes(std::string_view raw) {
  if (EscapesAreWellFormed(raw))
    return Refuse("bad_encoding", "half a surrogate pair in \"" + Excerpt(raw) + "\"");
  return Refuse("not_json", "an unknown escape in \"" + Excerpt(raw) + "\"");
}

bool JsonDecoder::RefuseToken(std::string_view problem, std::string_view token) {
  return Refuse("not_json", std::string(problem) + ": " + Excerpt(token));
}

bool JsonDecoder::ReadRecord(std::string_view record) {
  if (buffer_.size() < record.size() + simdjson::SIMDJSON_PADDING) {
    buffer_.resize(2 * record.size() + simdjson::SIMDJSON_PADDING);
  }
  if (!record.empty()) std::memcpy(buffer_.data(), record.data(), record.size());
  std::memset(buffer_.data() + record.size(), ' ', simdjson::SIMDJSON_PADDING);
  padded_ = {buffer_.data(), record.size() + simdjson::SIMDJSON_PADDING};
  ondemand::document document;
  const simdjson::padded_string_view text(buffer_.data(), record.size(), padded_.size());
  if (const auto error = parser_.iterate(text).get(document)) return Refuse(error);
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error == simdjson::INCORRECT_TYPE) return Refuse("not_json", "the record is no JSON object");
    return Refuse(error);
  }
  if (!ReadObject(object, &paths_, 1)) return false;
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return Refuse("not_json", "more text after the object");
  }
  return true;
}

bool JsonDecoder::ReadObject(ondemand::object object, JsonPaths* paths, size_t depth) {
  if (!CheckDepth(depth)) return false;
  if (paths != nullptr) paths->Begin();
  for (auto result : object) {
    ondemand::field field;
    if (const auto error = std::move(result).get(field)) return Refuse(error);
    JsonPaths::Entry* entry = nullptr;
    if (!FindEntry(field, paths, entry)) return false;
    if (!ReadValue(field.value(), entry, depth)) return false;
  }
  return true;
}

bool JsonDecoder::FindEntry(ondemand::field& field, JsonPaths* paths, JsonPaths::Entry*& entry) {
  const char* begin = field.key().raw();
  const std::string_view raw = padded_.substr(static_cast<size_t>(begin - padded_.data()));
  if (paths != nullptr) entry = paths->Expected(raw);
  if (entry == nullptr) {
    size_t end = raw.find('"');
    std::string_view key = raw.substr(0, end);
    if (const size_t escape = key.find('\\'); escape != std::string_view::npos) {
      end = escape;
      while (raw[end] != '"')
        end += raw[end] == '\\' ? 2 : 1;
      const std::string_view escaped = raw.substr(0, end);
      if (paths == nullptr) return EscapesAreWellFormed(escaped) || RefuseEscapes(escaped);
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return RefuseEscapes(escaped);
    }
    if (paths != nullptr) entry = paths->Find(key);
  }
  if (entry == nullptr) return true;
  if (entry->seen == round_)
    return Refuse("duplicate_field", "the key \"" + Excerpt(entry->key) + "\" stands twice");
  entry->seen = round_;
  return true;
}

bool JsonDecoder::ReadValue(ondemand::value& value, JsonPaths::Entry* entry, size_t depth) {
  if (entry != nullptr) return ReadMember(value, *entry, depth);
  return ReadItem(value, {}, depth);
}

// A value that is looked for, or looked into.
bool JsonDecoder::ReadMember(ondemand::value& value, JsonPaths::Entry& entry, size_t depth) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return Refuse(error);
  if (type == ondemand::json_type::object) {
    if (!entry.fields.empty()) return row_.NotObject(entry.fields[0], bad_);
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return Refuse(error);
    return ReadObject(object, entry.inside.get(), depth + 1);
  }
  if (type == ondemand::json_type::array) {
    for (const uint32_t field : entry.fields) {
      if (!row_.BeginList(field, bad_)) return false;
    }
    if (entry.inside)
      return Refuse("wrong_type", "\"" + Excerpt(entry.key) + "\" must be an object, not a list");
    ondemand::array list;
    if (const auto error = value.get_array().get(list)) return Refuse(error);
    if (!ReadList(list, &entry, depth + 1)) return false;
    for (const uint32_t field : entry.fields)
      row_.EndList(field);
    return true;
  }
  JsonScalar scalar;
  if (!ReadScalar(value, true, scalar)) return false;
  if (entry.inside && scalar.kind != Kind::kNull) {
    return Refuse("wrong_type", "\"" + Excerpt(entry.key) + "\" must be an object");
  }
  for (const uint32_t field : entry.fields) {
    if (!row_.Set(field, scalar, bad_)) return false;
  }
  return true;
}

bool JsonDecoder::ReadList(ondemand::array list, JsonPaths::Entry* entry, size_t depth) {
  if (!CheckDepth(depth)) return false;
  for (auto result : list) {
    ondemand::value value;
    if (const auto error = result.get(value)) return Refuse(error);
    if (!ReadItem(value,
                  entry != nullptr ? std::span<const uint32_t>(entry->fields) : std::span<const uint32_t>(),
                  depth)) {
      return false;
    }
  }
  return true;
}

// An item of a list that `fields` read, or any value that nobody reads.
bool JsonDecoder::ReadItem(ondemand::value& value, std::span<const uint32_t> fields, size_t depth) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return Refuse(error);
  if (type == ondemand::json_type::object || type == ondemand::json_type::array) {
    if (!fields.empty()) {
      return Refuse("wrong_type", "`" + row_.fields()[fields[0]].name + "` must be a list of plain values");
    }
    if (type == ondemand::json_type::object) {
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return Refuse(error);
      return ReadObject(object, nullptr, depth + 1);
    }
    ondemand::array list;
    if (const auto error = value.get_array().get(list)) return Refuse(error);
    return ReadList(list, nullptr, depth + 1);
  }
  JsonScalar scalar;
  if (!ReadScalar(value, !fields.empty(), scalar)) return false;
  for (const uint32_t field : fields) {
    if (!row_.AddItem(field, scalar, bad_)) return false;
  }
  return true;
}

// Strings are taken where they lie in the buffer; only those with escapes are copied, and only if `wanted`.
bool JsonDecoder::ReadScalar(ondemand::value& value, bool wanted, JsonScalar& scalar) {
  std::string_view token = value.raw_json_token();
  // simdjson steps over a string and a colon as over a key, wherever they stand.
  if (token.data()[token.size()] == ':') return RefuseToken("a colon after a value", token);
  while (!token.empty() && IsSpace(token.back()))
    token.remove_suffix(1);
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') {
    const std::string_view raw = token.substr(1, token.size() - 2);
    scalar = {Kind::kString, raw};
    if (std::memchr(raw.data(), '\\', raw.size()) == nullptr) return true;
    if (!wanted) return EscapesAreWellFormed(raw) || RefuseEscapes(raw);
    return value.get_string().get(scalar.text) == simdjson::SUCCESS || RefuseEscapes(raw);
  }
  if (IsJsonNumber(token)) {
    scalar = {Kind::kNumber, token};
  } else if (token == "null") {
    scalar.kind = Kind::kNull;
  } else if (token == "true") {
    scalar.kind = Kind::kTrue;
  } else if (token == "false") {
    scalar.kind = Kind::kFalse;
  } else {
    return RefuseToken("no JSON value", token);
  }
  return true;
}

}  // namespace

std::unique_ptr<Decoder> MakeJsonDecoder(std::vector<InputField> fields) {
  return std::make_unique<JsonDecoder>(std::move(fields));
}

}  // namespace freshet
