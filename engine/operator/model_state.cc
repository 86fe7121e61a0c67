#include "engine/operator/model_state.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "engine/base/bytes.h"

namespace freshet {

uint32_t ModelState::DeclareBytes(std::string_view name, size_t size, size_t width, bool published) {
  for (size_t i = 0; i < arrays_.size(); ++i) {
    if (arrays_[i].name != name) continue;
    assert(arrays_[i].size == size && arrays_[i].width == width && arrays_[i].published == published);
    return static_cast<uint32_t>(i);
  }
  Array array;
  array.name = name;
  array.size = size;
  array.width = width;
  array.published = published;
  array.bytes = std::make_unique<char[]>(size * width);
  array.dirty.assign((size + kBlock - 1) / kBlock, 0);
  arrays_.push_back(std::move(array));
  return static_cast<uint32_t>(arrays_.size() - 1);
}

uint32_t ModelState::DeclareDerivedBytes(std::string_view name, size_t size, size_t width) {
  for (size_t i = 0; i < derived_.size(); ++i) {
    if (derived_[i].name != name) continue;
    assert(derived_[i].size == size && derived_[i].width == width);
    return static_cast<uint32_t>(i);
  }
  derived_.push_back({std::string(name), size, width, std::make_unique<char[]>(size * width), kNever});
  return static_cast<uint32_t>(derived_.size() - 1);
}

void ModelState::ForgetDerived() {
  for (Derived& derived : derived_)
    derived.version = kNever;
}

void ModelState::SetDirty(Array& array, size_t block) {
  array.dirty[block] = 1;
  array.changed.push_back(static_cast<uint32_t>(block));
}

Status ModelState::Collect(bool published, const BlockSink& sink) {
  std::string key;
  for (Array& array : arrays_) {
    if (array.published != published) continue;
    std::sort(array.changed.begin(), array.changed.end());
    for (const uint32_t block : array.changed) {
      key.clear();
      AppendOrdered(std::string_view(array.name), key);
      AppendOrdered(static_cast<int64_t>(block), key);
      const size_t first = block * kBlock;
      const size_t count = std::min(kBlock, array.size - first);
      if (Status s = sink(key, {array.bytes.get() + first * array.width, count * array.width}); !s.ok())
        return s;
      array.dirty[block] = 0;
    }
    array.changed.clear();
  }
  return {};
}

Status ModelState::Apply(std::string_view key, std::string_view bytes) {
  std::string name;
  int64_t block = 0;
  if (!TakeOrdered(key, name) || !TakeOrdered(key, block) || !key.empty()) {
    return {Code::kCorrupt, "a model's block has a key that is none of ours"};
  }
  for (Array& array : arrays_) {
    if (array.name != name) continue;
    if (block < 0 || static_cast<size_t>(block) >= array.dirty.size()) break;
    const size_t first = static_cast<size_t>(block) * kBlock;
    const size_t count = std::min(kBlock, array.size - first);
    if (bytes.size() != count * array.width) break;
    std::memcpy(array.bytes.get() + first * array.width, bytes.data(), bytes.size());
    ForgetDerived();
    return {};
  }
  return {Code::kConflict, "the saved model has an array `" + name +
                               "` that does not fit the model of the job file; " +
                               "give the changed model a new name, or the job another name or prefix"};
}

size_t ModelState::bytes() const {
  size_t total = 0;
  for (const Array& array : arrays_)
    total += array.size * array.width + array.dirty.size();
  for (const Derived& derived : derived_)
    total += derived.size * derived.width;
  return total;
}

}  // namespace freshet
