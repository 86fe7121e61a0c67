#include "engine/runtime/replica.h"

#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {

namespace {
constexpr char kBlockKey = 'b';
constexpr std::string_view kVersionKey = "v";

Status Damaged() {
  return {
      Code::kCorrupt,
      "a model's topic holds a record that is none of ours. If something else was produced there, give the "
      "job another name or `prefix`; if the job has committed nothing yet, deleting the topic mends it too"};
}
}  // namespace

Status PublishModel(ModelState& model, std::string_view topic, uint64_t& published_version, Time timestamp,
                    Outbound& out) {
  if (model.version() == published_version) return {};
  OutgoingRecord record;
  record.topic = topic;
  record.timestamp = timestamp;
  std::string key;
  Status sent = model.Collect(true, [&](std::string_view block, std::string_view bytes) {
    key.assign(1, kBlockKey);
    key.append(block);
    record.key = key;
    record.value = bytes;
    return out.Send(record);
  });
  if (!sent.ok()) return sent;
  std::string version;
  AppendVarint(model.version(), version);
  AppendVarint(model.examples(), version);
  record.key = kVersionKey;
  record.value = version;
  published_version = model.version();
  return out.Send(record);
}

TableSpec PrivateTable(std::string_view model) {
  TableSpec spec;
  spec.name = "model." + std::string(model);
  spec.ordered = true;
  return spec;
}

Status SavePrivate(ModelState& model, RawTable& table) {
  return model.Collect(false, [&](std::string_view key, std::string_view bytes) {
    RawTable::Slot slot;
    if (Status s = table.Load(key, slot); !s.ok()) return s;
    std::memcpy(table.Edit(slot, static_cast<uint32_t>(bytes.size())), bytes.data(), bytes.size());
    return Status();
  });
}

Status LoadPrivate(ModelState& model, RawTable& table) {
  Status applied;
  Status scanned = table.Scan("", "", [&](std::string_view key, std::string_view value) {
    applied = model.Apply(key, value);
    return applied.ok();
  });
  return scanned.ok() ? applied : scanned;
}

Status ModelReader::Apply(std::string_view key, std::string_view value) {
  if (key == kVersionKey) {
    uint64_t version = 0;
    uint64_t examples = 0;
    if (!TakeVarint(value, version) || !TakeVarint(value, examples)) return Damaged();
    for (const auto& [block, bytes] : pending_) {
      if (Status s = model_->Apply(block, bytes); !s.ok()) return s;
    }
    pending_.clear();
    model_->SetVersion(version, examples);
    return {};
  }
  if (key.empty() || key[0] != kBlockKey) return Damaged();
  pending_.emplace_back(key.substr(1), value);
  return {};
}

}  // namespace freshet
