#pragma once
// The directory that holds a job's stores on this machine: locked by one process, with an identity file that
// says whose it is. One thread opens it; it stays locked while the object lives.
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"

namespace freshet {

struct Identity {
  std::string job;  // with its prefix
  std::string instance;
  uint64_t fingerprint = 0;  // of the plan: stages, shards, tables
};

class StateDirectory {
 public:
  // Creates `path` where missing. `wanted.instance` empty: the one in the file, else host name and six random
  // hex digits. kConflict: held by another process, written by a newer version, of another job, or of a job
  // whose stages have changed since.
  static Result<StateDirectory> Open(const std::string& path, const Identity& wanted);
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  const std::string& path() const { return path_; }
  const Identity& identity() const { return identity_; }

 private:
  StateDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  Status ReadOrWrite(const Identity& wanted);
  std::string path_;
  int lock_ = -1;
  Identity identity_;
};

}  // namespace freshet
