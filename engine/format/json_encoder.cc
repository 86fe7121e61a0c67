#include "engine/format/json.h"
#include "engine/format/json_text.h"

namespace freshet {

namespace {

// A member of an object: a column, or an object of members.
struct Member {
  std::string name;   // as in `path`
  std::string label;  // `"name":`
  size_t column = SIZE_MAX;
  std::vector<Member> members;
};

void Insert(std::vector<Member>& members, std::span<const std::string> path, size_t column) {
  Member* found = nullptr;
  for (Member& member : members) {
    if (member.name == path[0] && member.column == SIZE_MAX && path.size() > 1) found = &member;
  }
  if (found == nullptr) {
    members.emplace_back();
    found = &members.back();
    found->name = path[0];
    AppendJsonString(path[0], found->label);
    found->label.push_back(':');
  }
  if (path.size() == 1) {
    found->column = column;
  } else {
    Insert(found->members, path.subspan(1), column);
  }
}

class JsonEncoder final : public Encoder {
 public:
  explicit JsonEncoder(const std::vector<OutputField>& fields) {
    for (const OutputField& field : fields)
      Insert(root_, field.path, field.column);
  }
  void Encode(const Batch& batch, size_t row, std::string& out) override {
    if (!WriteObject(root_, batch, row, out)) out += "{}";
  }

 private:
  // False, and nothing written, where no member has a value.
  static bool WriteObject(const std::vector<Member>& members, const Batch& batch, size_t row,
                          std::string& out) {
    const size_t begin = out.size();
    char separator = '{';
    for (const Member& member : members) {
      const size_t before = out.size();
      out.push_back(separator);
      out += member.label;
      if (WriteMember(member, batch, row, out)) {
        separator = ',';
      } else {
        out.resize(before);
      }
    }
    if (out.size() == begin) return false;
    out.push_back('}');
    return true;
  }

  static bool WriteMember(const Member& member, const Batch& batch, size_t row, std::string& out) {
    if (member.column == SIZE_MAX) return WriteObject(member.members, batch, row, out);
    const Column& column = batch.column(member.column);
    return column.valid(row) && AppendJsonValue(column, row, out);
  }

  std::vector<Member> root_;
};

}  // namespace

std::unique_ptr<Encoder> MakeJsonEncoder(const Schema& /*schema*/, std::vector<OutputField> fields) {
  return std::make_unique<JsonEncoder>(fields);
}

const Format& json_format();
const Format& json_format() {
  static const Format format{"json", "one JSON object a record", &MakeJsonDecoder, &MakeJsonEncoder};
  return format;
}

}  // namespace freshet
