#include "engine/runtime/closing.h"

#include "engine/base/bytes.h"

namespace freshet {

namespace {
constexpr uint8_t kVersion = 3;
}  // namespace

std::string EncodeClosing(const ClosingRecord& record) {
  std::string out;
  AppendFixed(kVersion, out);
  AppendFixed(record.lineage, out);
  AppendVarint(record.epoch, out);
  AppendVarint(record.lane, out);
  AppendFixed(record.fingerprint, out);
  AppendFixed(record.task_watermark, out);
  AppendFixed(record.committed_at, out);
  AppendVarint(record.inputs.size(), out);
  for (const ClosingRecord::Input& input : record.inputs) {
    AppendSized(input.next.id.topic, out);
    AppendVarint(static_cast<uint64_t>(input.next.id.partition), out);
    AppendVarint(static_cast<uint64_t>(input.next.offset), out);
    AppendFixed(input.saved.highest, out);
    AppendFixed(input.saved.watermark, out);
    AppendFixed(static_cast<uint8_t>(input.saved.idle), out);
  }
  return out;
}

Result<ClosingRecord> DecodeClosing(std::string_view in) {
  const Status corrupt{Code::kCorrupt,
                       "a changelog's closing record is damaged; restore the topic or start the job "
                       "under another prefix"};
  uint8_t version = 0;
  if (!TakeFixed(in, version)) return corrupt;
  if (version != kVersion) {
    return Status{Code::kConflict,
                  "the changelog was written by another version of Freshet (closing record " +
                      std::to_string(version) + "); run that version, or a newer one"};
  }
  ClosingRecord record;
  uint64_t lane = 0;
  uint64_t count = 0;
  if (!TakeFixed(in, record.lineage) || !TakeVarint(in, record.epoch) || !TakeVarint(in, lane) ||
      !TakeFixed(in, record.fingerprint) || !TakeFixed(in, record.task_watermark) ||
      !TakeFixed(in, record.committed_at) || !TakeVarint(in, count)) {
    return corrupt;
  }
  record.lane = static_cast<uint32_t>(lane);
  for (uint64_t i = 0; i < count; ++i) {
    ClosingRecord::Input input;
    std::string_view topic;
    uint64_t partition = 0;
    uint64_t offset = 0;
    uint8_t idle = 0;
    if (!TakeSized(in, topic) || !TakeVarint(in, partition) || !TakeVarint(in, offset) ||
        !TakeFixed(in, input.saved.highest) || !TakeFixed(in, input.saved.watermark) ||
        !TakeFixed(in, idle)) {
      return corrupt;
    }
    input.next = {{std::string(topic), static_cast<int32_t>(partition)}, static_cast<int64_t>(offset)};
    input.saved.idle = idle != 0;
    record.inputs.push_back(std::move(input));
  }
  if (!in.empty()) return corrupt;
  return record;
}

}  // namespace freshet
