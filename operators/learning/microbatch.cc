#include "operators/learning/microbatch.h"

#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {
namespace {

constexpr size_t kReadAtOnce = 256;  // rows

void AddKeys(size_t first, size_t last, KeyColumn& keys) {
  keys.Clear();
  for (size_t i = first; i < last; ++i) {
    AppendOrdered(static_cast<int64_t>(i), keys.buffer());
    keys.EndKey();
  }
}

}  // namespace

Status Microbatch::Open(const LearnRows& learn) {
  if (open_) return {};
  open_ = true;
  bool learnt = false;
  for (bool more = true; more;) {
    AddKeys(stored_, stored_ + kReadAtOnce, keys_);
    slots_.resize(keys_.size());
    if (Status s = table_.Load(keys_, slots_); !s.ok()) return s;
    for (const RawTable::Slot& slot : slots_) {
      more = slot.present();
      if (!more) break;
      if (Status s = Take(slot.bytes()); !s.ok()) return s;
      ++stored_;
      if (!full()) continue;
      learn(rows(), labels_);
      learnt = true;
      rows_.Clear();
      labels_.clear();
    }
  }
  return learnt ? EraseStored() : Status();  // what is left is stored anew, from number 0
}

Status Microbatch::Take(std::string_view value) {
  uint64_t fingerprint = 0;
  double label = 0;
  const size_t expected = rows_.numbers_a_row() * sizeof(double) + rows_.slots_a_row() * sizeof(uint32_t);
  if (!TakeFixed(value, fingerprint) || !TakeFixed(value, label)) {
    return {Code::kCorrupt, "a row kept for the model `" + layout_.model + "` is cut short"};
  }
  if (fingerprint != layout_.fingerprint || value.size() != expected) {
    return {Code::kConflict,
            "rows wait for the model `" + layout_.model +
                "` that were read with other features than the job file gives it; give the changed "
                "model a new name, or the job another name or prefix"};
  }
  const size_t row = rows_.rows();
  rows_.Resize(row + 1);
  const size_t numbers = rows_.numbers_a_row() * sizeof(double);
  if (numbers > 0) std::memcpy(rows_.numbers(row), value.data(), numbers);
  if (rows_.slots_a_row() > 0) std::memcpy(rows_.slots(row), value.data() + numbers, value.size() - numbers);
  labels_.push_back(label);
  return {};
}

std::span<const RawRow> Microbatch::rows() {
  views_.clear();
  for (size_t row = 0; row < rows_.rows(); ++row)
    views_.push_back(rows_[row]);
  return views_;
}

void Microbatch::Add(const RawRow& row, double label) {
  rows_.Add(row);
  labels_.push_back(label);
}

Status Microbatch::Clear() {
  rows_.Clear();
  labels_.clear();
  return EraseStored();
}

Status Microbatch::EraseStored() {
  if (stored_ == 0) return {};
  AddKeys(0, stored_, keys_);
  slots_.resize(stored_);
  stored_ = 0;
  if (Status s = table_.Load(keys_, slots_); !s.ok()) return s;
  for (RawTable::Slot& slot : slots_)
    table_.Erase(slot);
  return {};
}

Status Microbatch::Keep() {
  if (stored_ == rows_.rows()) return {};
  AddKeys(stored_, rows_.rows(), keys_);
  slots_.resize(keys_.size());
  if (Status s = table_.Load(keys_, slots_); !s.ok()) return s;
  for (RawTable::Slot& slot : slots_) {
    const RawRow row = rows_[stored_];
    value_.clear();
    AppendFixed(layout_.fingerprint, value_);
    AppendFixed(labels_[stored_], value_);
    for (const double number : row.numbers)
      AppendFixed(number, value_);
    for (const uint32_t index : row.slots)
      AppendFixed(index, value_);
    std::memcpy(table_.Edit(slot, static_cast<uint32_t>(value_.size())), value_.data(), value_.size());
    ++stored_;
  }
  return {};
}

}  // namespace freshet
