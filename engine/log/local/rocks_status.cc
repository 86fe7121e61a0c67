#include "engine/log/local/rocks_status.h"

#include <rocksdb/status.h>

namespace freshet {

Status Damaged(const std::string& what) {
  return {
      Code::kCorrupt,
      what +
          " is damaged; put a copy of the directory in its place, or remove it and start afresh: what its "
          "topics and groups hold is lost with it"};
}

Status FromRocks(const rocksdb::Status& status, const std::string& directory) {
  if (status.ok()) return {};
  const std::string text = status.ToString();
  if (status.IsNoSpace() || text.find("No space left") != std::string::npos) {
    return {Code::kExhausted,
            "the disk of " + directory + " is full; make room and start again: nothing committed is lost"};
  }
  if (text.find("File too large") != std::string::npos) {
    return {Code::kExhausted,
            "a file in " + directory +
                " may grow no further (ulimit -f); raise the limit and start again: nothing "
                "committed is lost"};
  }
  // The two answers to a lock that is taken, by this process and by another; "block" and the directory's own
  // name occur in other errors as well.
  const bool held = text.find("/LOCK: No locks available") != std::string::npos ||
                    text.find("/LOCK: Resource temporarily unavailable") != std::string::npos;
  if (status.IsIOError() && held) {
    return {Code::kConflict,
            "the log in " + directory +
                " is held by another process (a running job?); stop it first, or choose another --local"};
  }
  if (status.IsCorruption()) return Damaged("the log in " + directory + " (" + text + ")");
  return {Code::kExhausted, "the log in " + directory + " cannot be used: " + text +
                                "; see to its disk and to who may write there, then start again"};
}

}  // namespace freshet
