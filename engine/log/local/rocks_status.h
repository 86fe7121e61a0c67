#pragma once
// RocksDB's outcome as ours, with what to do. Internal to engine/log/local.
#include <string>

#include "engine/base/status.h"

namespace rocksdb {
class Status;
}

namespace freshet {

// `what` it is and where: "a record of topic `t` in DIR".
Status Damaged(const std::string& what);
Status FromRocks(const rocksdb::Status& status, const std::string& directory);

}  // namespace freshet
