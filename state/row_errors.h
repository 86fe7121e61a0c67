#pragma once
// RocksDB's errors as ours, with what to do about them. Pure, any thread.
#include <string>

#include "engine/base/status.h"

namespace rocksdb {
class Status;
}

namespace freshet {

// Of a call on the store in `directory`.
Status StoreError(const rocksdb::Status& status, const std::string& directory);
// The same for opening it, where another process may hold it.
Status StoreOpenError(const rocksdb::Status& status, const std::string& directory);
// Stored bytes that cannot be what we wrote.
Status StoreCorrupt(const std::string& directory, const std::string& what);

}  // namespace freshet
