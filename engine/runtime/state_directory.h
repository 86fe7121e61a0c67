#pragma once
// The directory that holds a job's stores on this machine: locked by one process, with an identity file that
// says whose it is. One thread opens it; it stays locked while the object lives.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace freshet {

struct Identity {
  std::string job;  // with its prefix
  std::string instance;
  uint64_t fingerprint = 0;  // of the plan (JobPlan::fingerprint)
};

// kInvalid for what cannot name an instance: the name is part of ids on the broker and of a line of the file.
Status CheckInstance(std::string_view name);

class StateDirectory {
 public:
  // Creates `path` where missing. `wanted.instance` empty: the one in the file, else host name and six random
  // hex digits. kConflict: held by another process, written by a newer version, of another job, of a job
  // whose stages have changed since, or files without an identity, which nobody knows to be stores. kCorrupt:
  // an identity that is none.
  static Result<StateDirectory> Open(const std::string& path, const Identity& wanted);
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  const std::string& path() const { return path_; }
  const Identity& identity() const { return identity_; }

 private:
  StateDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  Status ReadOrWrite(const Identity& wanted);
  Status CheckOwner(std::map<std::string, std::string>& found, const Identity& wanted) const;
  std::string path_;
  int lock_ = -1;
  Identity identity_;
};

}  // namespace freshet
