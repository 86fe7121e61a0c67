#pragma once
// One RocksDB directory: rows of bytes, written in atomic batches with the WAL on and not synced. What is
// lost with the machine's page cache is read again from the changelog, since a batch carries its changelog
// position. One thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "state/raw_table.h"

namespace freshet {

class StoreResources;

// Rows to be written together.
class RowBatch {
 public:
  RowBatch();
  ~RowBatch();
  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);
  void Clear();
  size_t bytes() const;

 private:
  friend class RowStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The rows of one prefix in key order, as they were when it was made.
class RowCursor {
 public:
  RowCursor(RowCursor&&) noexcept;
  RowCursor& operator=(RowCursor&&) noexcept;
  ~RowCursor();
  void Seek(std::string_view key);
  void Next();
  bool valid() const;
  std::string_view key() const;  // valid until the cursor moves
  std::string_view value() const;
  Status status() const;  // after valid() turned false: whether that was the end

 private:
  friend class RowStore;
  struct Impl;
  explicit RowCursor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class RowStore {
 public:
  static Result<std::unique_ptr<RowStore>> Open(const std::string& directory, StoreResources& resources);
  ~RowStore();

  const std::string& directory() const;
  // Calls `found` with the place in `keys` and the value of each that is there.
  Status Read(const KeyColumn& keys, const std::function<Status(size_t, std::string_view)>& found);
  Status Write(RowBatch& batch);
  // Cursors end before the store does.
  RowCursor Scan(std::string_view prefix);
  // Removes every row. REQUIRES: no cursor. Of no use after a failure.
  Status Clear();

 private:
  struct Impl;
  explicit RowStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet
