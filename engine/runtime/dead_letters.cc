#include "engine/runtime/dead_letters.h"

#include <algorithm>
#include <vector>

#include "engine/runtime/feed.h"

namespace freshet {

namespace {
constexpr int64_t kRoomForHeaders = 1024;
constexpr size_t kMostDetail = 200;
}  // namespace

void DeadLetters::Keep(Letter letter) {
  const size_t key_room = Room(0) / 2;
  letter.truncated = letter.key && letter.key->size() > key_room;
  if (letter.truncated) letter.key->resize(key_room);
  const size_t room = Room(letter.key ? letter.key->size() : 0);
  letter.truncated = letter.truncated || letter.value.size() > room;
  if (letter.value.size() > room) letter.value.resize(room);
  letters_.push_back(std::move(letter));
}

size_t DeadLetters::Room(size_t key_bytes) const {
  return static_cast<size_t>(
      std::max<int64_t>(0, limit_ - kRoomForHeaders - static_cast<int64_t>(key_bytes)));
}

Status DeadLetters::Flush(Outbound& out) {
  if (letters_.empty()) return {};
  std::stable_sort(letters_.begin(), letters_.end(),
                   [](const Letter& a, const Letter& b) { return a.ordinal < b.ordinal; });
  for (const Letter& letter : letters_) {
    if (Status s = Send(letter, out); !s.ok()) return s;
  }
  letters_.clear();
  return {};
}

Status DeadLetters::Send(const Letter& letter, Outbound& out) {
  counters_["dead_letters{reason=\"" + letter.reason + "\"}"].Add();
  const std::string_view detail = std::string_view(letter.detail).substr(0, kMostDetail);
  std::vector<Header> headers{{"reason", letter.reason}, {"detail", detail}};
  if (!letter.op.empty()) headers.push_back({"operator", letter.op});
  const std::string partition = letter.origin ? std::to_string(letter.origin->id.partition) : "";
  const std::string offset = letter.origin ? std::to_string(letter.origin->offset) : "";
  if (letter.origin) {
    headers.push_back({"topic", letter.origin->id.topic});
    headers.push_back({"partition", partition});
    headers.push_back({"offset", offset});
  }
  if (letter.truncated) headers.push_back({"truncated", "true"});
  OutgoingRecord record;
  record.topic = topic_;
  record.timestamp = letter.timestamp;
  if (letter.key) record.key = *letter.key;
  record.value = letter.value;
  record.headers = headers;
  return out.Send(record);
}

void DeadLetters::Add(const Reject& reject, const PartitionId& origin, uint32_t ordinal) {
  Letter letter;
  letter.ordinal = ordinal;
  letter.reason = reject.reason;
  letter.detail = reject.detail;
  if (reject.has_key) letter.key = reject.key;
  letter.value = reject.value;
  letter.timestamp = reject.timestamp;
  letter.origin = PartitionOffset{origin, reject.offset};
  Keep(std::move(letter));
}

void DeadLetters::Add(const RefusedRow& row) {
  std::unique_ptr<Encoder>& encoder = encoders_[row.schema];
  if (encoder == nullptr) {
    std::vector<OutputField> fields;
    for (size_t c = 0; c < row.schema->size(); ++c)
      fields.push_back({c, {(*row.schema)[c].name}});
    encoder = FindFormat("json")->encoder(*row.schema, std::move(fields));
  }
  Letter letter;
  encoder->Encode(*row.batch, row.row, letter.value);
  letter.ordinal = row.batch->ordinals()[row.row];
  letter.reason = row.reason;
  letter.detail = row.detail;
  letter.op = row.op;
  letter.timestamp = row.batch->times()[row.row];
  letter.origin = origin_of_(letter.ordinal);
  Keep(std::move(letter));
}

void DeadLetters::Add(const RefusedOutput& output) {
  Letter letter;
  letter.ordinal = output.ordinal;
  letter.reason = output.reason;
  letter.detail = output.detail;
  letter.op = output.sink;
  if (output.record->key) letter.key = std::string(*output.record->key);
  letter.value = output.record->value.value_or("");
  letter.timestamp = output.record->timestamp;
  letter.origin = origin_of_(output.ordinal);
  Keep(std::move(letter));
}

}  // namespace freshet
