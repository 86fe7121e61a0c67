#pragma once
// The key of a record that is produced: the text of one field of a JSON object. One thread.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/format/format.h"

namespace freshet {

class RecordKey {
 public:
  explicit RecordKey(const std::string& field);
  // kInvalid where the line is no JSON object, or has no such field of a plain type.
  Result<std::string> Of(std::string_view line);

 private:
  struct Attempt {
    std::unique_ptr<Decoder> decoder;
    std::vector<ColumnBuilder> row;
  };
  std::string field_;
  Pool pool_;
  std::vector<Attempt> attempts_;  // as a string, a whole number, a number, a boolean
};

}  // namespace freshet
