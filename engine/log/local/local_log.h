#pragma once
// The embedded log: every topic of a job in one directory, for a laptop, a test or a single box. One process
// writes; others may read beside it. Any thread (see log.h for consumers and producers).
//
// A transaction is one RocksDB WriteBatch, synced before Commit returns: what is not committed never gets
// into the log, so readers of either isolation see the same. docs/formats.md has the bytes.
#include <cstdint>
#include <memory>
#include <string>

#include "engine/log/log.h"

namespace freshet {

struct LocalLogOptions {
  bool read_only = false;           // beside a process that writes
  int64_t memory_bytes = 32 << 20;  // memtables and cached blocks
  bool sync = true;                 // false: tests that do not pull the plug
  int64_t least_garbage = 20'000;   // records; below it compaction of a partition is not worth its reads
};

// Creates `directory` unless read_only. kConflict: another process writes it, or a newer Freshet wrote it.
Result<std::unique_ptr<Log>> OpenLocalLog(const std::string& directory, const LocalLogOptions& options);

}  // namespace freshet
