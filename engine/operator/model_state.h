#pragma once
// The bytes of a model: named arrays of numbers that the engine saves, publishes and restores, so that no
// learner writes a Save. Written by the one trainer of the model, read by whoever predicts in the same lane.
// One thread.
//
// Always: between two calls of Advance nothing is half learnt as seen by a reader, because the trainer writes
// only whole microbatches and then calls Advance; version() is the number of microbatches learnt. Published
// arrays (weights, scaler, calibrator) travel by the model's topic; private ones (optimizer, counts) by the
// changelog of the trainer's task. Both as blocks of kBlock elements, only those written since the last
// collection.
#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace freshet {

template <class T>
struct ModelArray {
  uint32_t index = 0;
};
template <class T>
struct DerivedArray {
  uint32_t index = 0;
};

class ModelState {
  struct Array {
    std::string name;
    size_t size = 0;
    size_t width = 0;
    bool published = false;
    std::unique_ptr<char[]> bytes;  // aligned for double by new
    std::vector<uint8_t> dirty;     // one a block
    std::vector<uint32_t> changed;  // blocks with dirty set, unordered
  };
  struct Derived {
    std::string name;
    size_t size = 0;
    size_t width = 0;
    std::unique_ptr<char[]> bytes;
    uint64_t version = kNever;  // of which it is
  };
  static constexpr uint64_t kNever = UINT64_MAX;

 public:
  static constexpr size_t kBlock = 64;  // elements

  ModelState() = default;
  ModelState(const ModelState&) = delete;
  ModelState& operator=(const ModelState&) = delete;

  // Declares an array of `size` zeros, or finds it again: predicting and training operators declare the same
  // ones, in a fixed order. T: float, double or uint64_t. Asserts that name, size and type agree with an
  // earlier declaration.
  template <class T>
  ModelArray<T> Declare(std::string_view name, size_t size, bool published) {
    return {DeclareBytes(name, size, sizeof(T), published)};
  }
  template <class T>
  std::span<const T> Read(ModelArray<T> a) const {
    const Array& array = arrays_[a.index];
    return {reinterpret_cast<const T*>(array.bytes.get()), array.size};
  }
  // An array for writing, until the next Declare. Element i is to be touched before it is written.
  template <class T>
  class Writer {
   public:
    size_t size() const { return array_->size; }
    void Touch(size_t i) const {
      assert(i < array_->size);
      if (!dirty_[i / kBlock]) SetDirty(*array_, i / kBlock);
    }
    T& operator[](size_t i) const {
      assert(dirty_[i / kBlock]);
      return values_[i];
    }
    void Prefetch(size_t i) const { __builtin_prefetch(&values_[i], 1); }

   private:
    friend class ModelState;
    explicit Writer(Array& array)
        : array_(&array), values_(reinterpret_cast<T*>(array.bytes.get())), dirty_(array.dirty.data()) {}
    Array* array_;
    T* values_;
    const uint8_t* dirty_;
  };
  template <class T>
  Writer<T> Write(ModelArray<T> a) {
    return Writer<T>(arrays_[a.index]);
  }
  // Declares an array that follows from the others, or finds it again: whoever needs it of a version and
  // finds it not current works it out, for all. Never saved. T: trivially copyable, zeros being a value of
  // it.
  template <class T>
  DerivedArray<T> DeclareDerived(std::string_view name, size_t size) {
    return {DeclareDerivedBytes(name, size, sizeof(T))};
  }
  template <class T>
  std::span<T> Derive(DerivedArray<T> a) {
    Derived& derived = derived_[a.index];
    return {reinterpret_cast<T*>(derived.bytes.get()), derived.size};
  }
  // Whether it follows from the arrays as they are now; while a microbatch is learnt nobody may ask.
  template <class T>
  bool is_current(DerivedArray<T> a) const {
    return derived_[a.index].version == version_;
  }
  template <class T>
  void SetCurrent(DerivedArray<T> a) {
    derived_[a.index].version = version_;
  }
  uint64_t version() const { return version_; }
  uint64_t examples() const { return examples_; }
  // Ends a microbatch of `examples` rows.
  void Advance(uint64_t examples) {
    ++version_;
    examples_ += examples;
  }

  // --- for the engine ---
  // Blocks written since they were last collected, in (array, block) order; the key names array and block.
  using BlockSink = std::function<Status(std::string_view key, std::string_view bytes)>;
  Status Collect(bool published, const BlockSink& sink);
  // kCorrupt where the key names no declared array or block, or the width differs.
  Status Apply(std::string_view key, std::string_view bytes);
  void SetVersion(uint64_t version, uint64_t examples) {
    version_ = version;
    examples_ = examples;
    ForgetDerived();
  }
  size_t bytes() const;

 private:
  static void SetDirty(Array& array, size_t block);
  uint32_t DeclareBytes(std::string_view name, size_t size, size_t width, bool published);
  uint32_t DeclareDerivedBytes(std::string_view name, size_t size, size_t width);
  void ForgetDerived();
  std::vector<Array> arrays_;
  std::vector<Derived> derived_;
  uint64_t version_ = 0;
  uint64_t examples_ = 0;
};

}  // namespace freshet
