#pragma once
// What `--summary` writes: what a run did, as JSON (docs/jobs.md). One thread.
#include <string>
#include <utility>

#include "engine/base/status.h"
#include "engine/runtime/worker.h"

namespace freshet {

std::string SummaryJson(const RunReport& report);

// The file it goes to: opened before the work, so that a place that cannot be written is told before, and
// written after it. What stood there stays until then; a file that was made for nothing is removed.
class SummaryFile {
 public:
  // `job`: the job file, which it may not replace.
  static Result<SummaryFile> Open(const std::string& path, const std::string& job);
  SummaryFile(SummaryFile&& other) noexcept;
  SummaryFile& operator=(SummaryFile&&) = delete;
  ~SummaryFile();
  Status Write(const RunReport& report);

 private:
  SummaryFile(std::string path, int descriptor, bool made)
      : path_(std::move(path)), descriptor_(descriptor), made_(made) {}
  std::string path_;
  int descriptor_;
  bool made_;  // by Open, and still empty
};

}  // namespace freshet
