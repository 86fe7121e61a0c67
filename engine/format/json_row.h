#pragma once
// The row that a record becomes: what it holds is appended as it is read, and taken back where the record
// turns out bad. One decoder, one thread.
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

class JsonRow {
 public:
  explicit JsonRow(std::vector<InputField> fields);

  const std::vector<InputField>& fields() const { return fields_; }
  // One column a field, all of as many rows. Each gets one more; they live until End or TakeBack.
  void Begin(std::span<ColumnBuilder> columns);
  // Each returns false, with the reason in `bad`, where the value is none of the field's. Items' texts must
  // live until EndList.
  bool Set(size_t field, const JsonScalar& scalar, Rejection& bad);
  bool BeginList(size_t field, Rejection& bad);
  bool AddItem(size_t field, const JsonScalar& scalar, Rejection& bad);
  void EndList(size_t field);
  bool NotObject(size_t field, Rejection& bad);  // an object stands where the field's value should
  // False where a required field is missing. Otherwise what the record lacks is null.
  bool End(Rejection& bad);
  void TakeBack();

 private:
  struct List {
    std::vector<double> numbers;
    std::vector<std::string_view> texts;
  };

  bool SetText(const InputField& field, const JsonScalar& scalar, ColumnBuilder& column, Rejection& bad);
  bool IsThere(size_t field) const { return columns_[field].rows() > before_; }

  std::vector<InputField> fields_;  // `values` sorted
  std::vector<size_t> required_;    // of the fields
  std::span<ColumnBuilder> columns_;
  size_t before_ = 0;  // rows of each column when the row began
  std::vector<List> lists_;
  std::string bytes_;  // decoded
};

// A rejection whose detail keeps to its 200 characters.
Rejection Reject(std::string_view reason, std::string detail);
// The front of a text that comes from a record, fit for a detail.
std::string Excerpt(std::string_view text);

}  // namespace freshet
