#include "state/row_errors.h"

#include <string_view>

#include <rocksdb/status.h>

namespace freshet {

namespace {

constexpr std::string_view kTooManyFiles = "Too many open files";

bool Mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Quotas and limits of a file's size reach us as plain I/O errors, told apart by the system's text only.
bool IsDiskFull(const rocksdb::Status& status, const std::string& text) {
  return status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit ||
         Mentions(text, "No space left") || Mentions(text, "File too large") ||
         Mentions(text, "quota exceeded");
}

Status TooManyFiles(const std::string& directory, const std::string& text) {
  return {Code::kExhausted, "the process may have no more files open (" + directory + ": " + text +
                                "): each task's store has some. Raise its limit (`ulimit -n`), or begin "
                                "afresh with fewer `shards`; nothing committed is lost"};
}

}  // namespace

Status StoreError(const rocksdb::Status& status, const std::string& directory) {
  if (status.ok()) return {};
  const std::string text = status.ToString();
  if (Mentions(text, kTooManyFiles)) return TooManyFiles(directory, text);
  if (IsDiskFull(status, text)) {
    return {Code::kExhausted, "the disk under " + directory + " is full (" + text +
                                  "): make room and start again; nothing committed is lost"};
  }
  if (status.IsCorruption()) return StoreCorrupt(directory, text);
  return {Code::kInternal, "the store in " + directory + " failed (" + text +
                               "): check the disk and start again; nothing committed is lost"};
}

Status StoreOpenError(const rocksdb::Status& status, const std::string& directory) {
  if (status.ok()) return {};
  const std::string text = status.ToString();
  if (status.IsIOError() && (Mentions(text, "While lock file") || Mentions(text, "lock hold by"))) {
    return {Code::kConflict, directory + " is held by another process; stop it or choose another --state"};
  }
  if (status.IsNotSupported()) {
    return {Code::kConflict,
            directory + " was written by a newer version (" + text +
                "): run that version, or remove the directory, and it is rebuilt from the changelog"};
  }
  if (IsDiskFull(status, text) || Mentions(text, kTooManyFiles) || status.IsCorruption())
    return StoreError(status, directory);
  return {Code::kInvalid,
          "cannot open the store in " + directory + " (" + text +
              "): check the directory and its permissions, or choose another --state. If files "
              "are missing or damaged, remove the directory, and it is rebuilt from the changelog"};
}

Status StoreCorrupt(const std::string& directory, const std::string& what) {
  return {Code::kCorrupt, "the store in " + directory + " is damaged (" + what +
                              "): remove the directory, and it is rebuilt from the changelog"};
}

}  // namespace freshet
