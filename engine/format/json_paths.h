#pragma once
// What a decoder looks for in a record: the keys of each object on the paths of its fields. One decoder, one
// thread.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/format.h"

namespace freshet {

class JsonPaths {
 public:
  struct Entry {
    std::string key;
    std::vector<uint32_t> fields;       // read from the value itself
    std::unique_ptr<JsonPaths> inside;  // read from within it
    uint64_t seen = 0;                  // the record in which the key stood last
    std::string written;                // as JSON, less the opening quote; empty: producers may differ
    size_t next = 0;                    // the entry that followed last time
  };

  JsonPaths() = default;
  explicit JsonPaths(std::span<const InputField> fields);  // their paths are not empty

  // Called where an object of this kind begins.
  void Begin() {
    last_ = kNone;
    expected_ = first_;
  }
  // Producers write keys in one order, so the entry that followed last time is tried before any lookup:
  // whether `raw` (which ends somewhere past the closing quote) starts with its key and a quote.
  Entry* Expected(std::string_view raw);
  Entry* Find(std::string_view key);

 private:
  static constexpr size_t kNone = SIZE_MAX;

  void Add(std::span<const std::string> path, uint32_t field);
  void Index();
  Entry* Matched(size_t entry);

  std::vector<Entry> entries_;
  std::vector<uint32_t> table_;  // open addressing by Hash64: entry + 1, or 0
  size_t first_ = 0;
  size_t last_ = kNone;
  size_t expected_ = 0;
};

}  // namespace freshet
