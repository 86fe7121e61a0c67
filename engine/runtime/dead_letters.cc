#include "engine/runtime/dead_letters.h"

#include <algorithm>
#include <vector>

#include "engine/runtime/feed.h"

namespace freshet {

namespace {
constexpr int64_t kRoomForHeaders = 1024;
}

Status DeadLetters::Send(const Letter& letter, Outbound& out) {
  counters_["dead_letters{reason=\"" + std::string(letter.reason) + "\"}"].Add();
  const std::string partition = letter.origin ? std::to_string(letter.origin->partition) : "";
  const std::string offset = std::to_string(letter.offset);
  const std::string_view detail = letter.detail.substr(0, 200);
  std::vector<Header> headers{{"reason", letter.reason}, {"detail", detail}};
  if (!letter.op.empty()) headers.push_back({"operator", letter.op});
  if (letter.origin != nullptr) {
    headers.push_back({"topic", letter.origin->topic});
    headers.push_back({"partition", partition});
    headers.push_back({"offset", offset});
  }
  const auto room = static_cast<size_t>(
      std::max<int64_t>(0, limit_ - kRoomForHeaders - static_cast<int64_t>(letter.key.size())));
  std::string_view value = letter.value;
  if (value.size() > room) {
    value = value.substr(0, room);
    headers.push_back({"truncated", "true"});
  }
  OutgoingRecord record;
  record.topic = topic_;
  record.timestamp = letter.timestamp;
  if (letter.has_key) record.key = letter.key;
  record.value = value;
  record.headers = headers;
  return out.Send(record);
}

Status DeadLetters::Write(const Reject& reject, const PartitionId& origin, Outbound& out) {
  Letter letter;
  letter.reason = reject.reason;
  letter.detail = reject.detail;
  letter.key = reject.key;
  letter.has_key = reject.has_key;
  letter.value = reject.value;
  letter.timestamp = reject.timestamp;
  letter.origin = &origin;
  letter.offset = reject.offset;
  return Send(letter, out);
}

Status DeadLetters::Write(const RefusedRow& row, const PartitionId& origin, int64_t offset, Outbound& out) {
  std::unique_ptr<Encoder>& encoder = encoders_[row.schema];
  if (encoder == nullptr) {
    std::vector<OutputField> fields;
    for (size_t c = 0; c < row.schema->size(); ++c)
      fields.push_back({c, {(*row.schema)[c].name}});
    encoder = FindFormat("json")->encoder(*row.schema, std::move(fields));
  }
  std::string value;
  encoder->Encode(*row.batch, row.row, value);
  Letter letter;
  letter.reason = row.reason;
  letter.detail = row.detail;
  letter.op = row.op;
  letter.value = value;
  letter.timestamp = row.batch->times()[row.row];
  letter.origin = origin.topic.empty() ? nullptr : &origin;
  letter.offset = offset;
  return Send(letter, out);
}

Status DeadLetters::WriteTooLarge(std::string_view sink, std::string_view key, std::string_view value,
                                  Time timestamp, Outbound& out) {
  Letter letter;
  const std::string detail = "the output record has " + std::to_string(key.size() + value.size()) + " bytes";
  letter.reason = "output_too_large";
  letter.detail = detail;
  letter.op = sink;
  letter.key = key;
  letter.has_key = true;
  letter.value = value;
  letter.timestamp = timestamp;
  return Send(letter, out);
}

}  // namespace freshet
