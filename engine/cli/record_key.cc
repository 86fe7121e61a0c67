#include "engine/cli/record_key.h"

namespace freshet {

RecordKey::RecordKey(const std::string& field) : field_(field) {
  for (const Type type : {Type::kString, Type::kInt64, Type::kFloat64, Type::kBool}) {
    InputField input;
    input.name = field;
    input.type = type;
    input.required = true;
    Attempt attempt;
    attempt.decoder = FindFormat("json")->decoder({input});
    attempt.row.emplace_back(pool_, type, 1);
    attempts_.push_back(std::move(attempt));
  }
}

Result<std::string> RecordKey::Of(std::string_view line) {
  std::optional<Rejection> last;
  for (Attempt& attempt : attempts_) {
    last = attempt.decoder->Decode(line, attempt.row);
    if (last && last->reason == "wrong_type") continue;
    if (last) break;
    const ColumnPtr column = attempt.row[0].Finish();
    std::string key;
    AppendKeyText(*column, 0, key);
    return key;
  }
  // Of no type at all; the last attempt knows of its own only.
  if (last->reason == "wrong_type")
    last->detail = "`" + field_ + "` must be a string, a number, true or false, not an object or a list";
  return Invalid("no key can be taken from field `" + field_ + "`: " + std::string(last->reason) + ", " +
                 last->detail);
}

}  // namespace freshet
