#pragma once
// What a record holds for each input field, kept until the whole record is known to be good and then appended
// at once. One decoder, one thread. The text of values set must live until Append.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/format.h"

namespace freshet {

// A value that is neither object nor list.
struct JsonScalar {
  enum class Kind : uint8_t { kNull, kFalse, kTrue, kNumber, kString };
  Kind kind = Kind::kNull;
  std::string_view text;  // a number as it stands; a string without quotes and escapes
};

class JsonSlots {
 public:
  explicit JsonSlots(std::vector<InputField> fields);

  const std::vector<InputField>& fields() const { return fields_; }
  void Clear();
  // Each returns false, with the reason in `bad`, where the value is none of the field's.
  bool Set(size_t field, const JsonScalar& scalar, Rejection& bad);
  bool BeginList(size_t field, Rejection& bad);
  bool AddItem(size_t field, const JsonScalar& scalar, Rejection& bad);
  bool NotObject(size_t field, Rejection& bad);  // an object stands where the field's value should
  bool CheckRequired(Rejection& bad) const;
  void Append(std::span<ColumnBuilder> row) const;  // one builder a field

 private:
  struct Slot {
    bool present = false;
    int64_t integer = 0;  // bool, int64, timestamp, duration
    double number = 0;
    std::string_view text;
    std::string bytes;  // decoded; `text` looks into it
    std::vector<double> numbers;
    std::vector<std::string_view> texts;
  };

  static bool SetText(const InputField& field, const JsonScalar& scalar, Slot& slot, Rejection& bad);
  static bool SetTime(const InputField& field, const JsonScalar& scalar, Slot& slot, Rejection& bad);

  std::vector<InputField> fields_;  // `values` sorted
  std::vector<size_t> required_;    // of the fields
  std::vector<Slot> slots_;
};

// A rejection whose detail keeps to its 200 characters.
Rejection Reject(std::string_view reason, std::string detail);
// The front of a text that comes from a record, fit for a detail.
std::string Excerpt(std::string_view text);

}  // namespace freshet
