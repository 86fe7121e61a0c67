#pragma once
// How records' bytes become rows and rows become bytes. A format is one file here and one line in
// formats.def. A decoder or encoder belongs to one lane (one thread).
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/data/batch.h"

namespace freshet {

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

// A field to read from each record.
struct InputField {
  std::string name;
  Type type = Type::kString;
  std::vector<std::string> path;            // from the record's root; empty: {name}
  TimeUnit unit = TimeUnit::kMilliseconds;  // timestamps and durations that come as numbers
  bool required = false;                    // null or absent makes the record bad
  std::vector<std::string> values;          // strings: any other makes the record bad; empty: open
};

// Why a record is no row. `reason` is one of a closed set, fit for a metric's label: not_json, too_deep,
// too_large, wrong_type, out_of_range, missing_field, duplicate_field, unknown_value, bad_encoding. `detail`
// says which field and what was found, in at most 200 characters.
struct Rejection {
  std::string_view reason;
  std::string detail;
};

// A field of type timestamp is an RFC 3339 string or a number in `unit`; a duration a string like "1h30m" or
// a number in `unit`; int64 takes 3 and 3.0, not 3.5 nor 1e300; float64 takes any finite number; bytes are
// base64. Fields that are not asked for are skipped unread. The same key twice in an object on a path that is
// read: duplicate_field.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends one row to `row` (one builder a field, in the order given to the factory), or nothing and says
  // why.
  virtual std::optional<Rejection> Decode(std::string_view record, std::span<ColumnBuilder> row) = 0;
};

// A column to write; `path` ["a", "b"] writes {"a": {"b": …}}. Members of one object are written together, in
// the order of their first appearance.
struct OutputField {
  size_t column = 0;
  std::vector<std::string> path;
};

// Nulls are omitted (an object left empty too), floats shortest round trip (not finite: omitted), timestamps
// RFC 3339 in UTC, durations as their text, bytes base64.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void Encode(const Batch& batch, size_t row, std::string& out) = 0;  // appends
};

struct Format {
  std::string_view name;
  std::string_view doc;
  std::unique_ptr<Decoder> (*decoder)(std::vector<InputField> fields);
  std::unique_ptr<Encoder> (*encoder)(const Schema& schema, std::vector<OutputField> fields);
};
std::span<const Format> Formats();
const Format* FindFormat(std::string_view name);

// The text of one value as it stands in a record key (and is hashed to a partition): UTF-8 of strings,
// decimal digits of integers, RFC 3339 of timestamps, "true"/"false", shortest digits of floats; bytes as
// they are.
void AppendKeyText(const Column& column, size_t row, std::string& out);
// The text of a key of several fields: a JSON array of the values, without spaces.
void AppendKeyText(std::span<const Column* const> columns, size_t row, std::string& out);

}  // namespace freshet
