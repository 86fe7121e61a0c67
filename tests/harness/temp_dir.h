#pragma once
// A directory of its own for one test, removed with all it holds when the object goes. One thread.
#include <string>
#include <string_view>

namespace freshet {

class TempDir {
 public:
  TempDir();  // under $TMPDIR or /tmp; aborts the test program when it cannot be made
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Writes `text` to `name`, making the folders on the way, and returns the full path.
  std::string Write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

// The whole file; empty when it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace freshet
