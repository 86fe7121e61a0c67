#include "engine/runtime/state_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/spec/topic_name.h"

namespace freshet {

namespace {

constexpr std::string_view kFormat = "1";

constexpr size_t kLongestInstance = 100;
constexpr std::string_view kRights =
    "; choose another --state, or give this user the right to read and write there";

// Kafka takes as an instance's name what it takes as a topic's.
bool FitsInstance(char c) {
  return kTopicLetters.find(c) != std::string_view::npos;
}

// What of the machine's name fits an instance's.
std::string HostName() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "freshet";
  std::string host(name);
  host.resize(std::min(host.size(), kLongestInstance - 7));
  std::replace_if(
      host.begin(), host.end(), [](char c) { return !FitsInstance(c); }, '-');
  return host;
}

std::string NewInstance() {
  std::random_device device;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string digits;
  for (int i = 0; i < 6; ++i)
    digits.push_back(kHex[device() % 16]);
  return HostName() + "-" + digits;
}

Result<std::string> ReadWhole(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  if (in.bad() || !in.is_open()) {
    return Status{Code::kInvalid, "cannot read " + file + ": " + std::strerror(errno) + std::string(kRights)};
  }
  return text.str();
}

// Lines of `name=value`.
Result<std::map<std::string, std::string>> ReadIdentity(const std::string& path) {
  Result<std::string> text = ReadWhole(path + "/identity");
  if (!text.ok()) return text.status();
  std::map<std::string, std::string> values;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos) values[line.substr(0, equals)] = line.substr(equals + 1);
  }
  const bool other_format = values.contains("format") && values["format"] != kFormat;
  const bool whole = values.contains("format") && values.contains("job") && values.contains("fingerprint") &&
                     CheckInstance(values["instance"]).ok();
  if (other_format || whole) return values;
  return Status{Code::kCorrupt,
                path + "/identity does not say whose stores these are; choose another --state, or, if " +
                    path + " belongs to this job, remove it: its stores are rebuilt from the changelog"};
}

bool IsThere(const std::string& file) {
  std::error_code error;
  return std::filesystem::symlink_status(file, error).type() != std::filesystem::file_type::not_found;
}

// The first file that nobody who was just making the directory would have left; "" where there is none.
// `lost+found` is at the top of every disk.
std::string ForeignFile(const std::string& path) {
  std::string first;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name == "lock" || name == "identity.new" || name == "lost+found") continue;
    if (first.empty() || name < first) first = name;
  }
  return first;
}

// Files are listed before the identity is looked for: whoever makes the directory meanwhile writes that
// first.
Status CheckKnown(const std::string& path) {
  const std::string foreign = ForeignFile(path);
  if (foreign.empty() || IsThere(path + "/identity")) return {};
  return {Code::kConflict, "the directory " + path + " holds `" + foreign +
                               "` and no identity, so it is no state directory; choose an empty or a new one "
                               "as --state"};
}

Status CannotWrite(const std::string& file, int error) {
  if (error == ENOSPC || error == EDQUOT)
    return {Code::kExhausted, "the disk of " + file + " is full; make room and start again"};
  return {Code::kInvalid, "cannot write " + file + ": " + std::strerror(error) + std::string(kRights)};
}

// Whole or not at all: written beside, synced, renamed.
Status WriteLines(const std::string& file, const std::string& text) {
  const std::string beside = file + ".new";
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool written =
      fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!written) return CannotWrite(file, error);
  if (rename(beside.c_str(), file.c_str()) != 0) return CannotWrite(file, errno);
  return {};
}

}  // namespace

Status CheckInstance(std::string_view name) {
  if (!name.empty() && name.size() <= kLongestInstance && std::all_of(name.begin(), name.end(), FitsInstance))
    return {};
  return Invalid("no instance can have this name; use 1 to " + std::to_string(kLongestInstance) +
                 " letters, digits, `_`, `-` and `.`");
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      identity_(std::move(other.identity_)) {}

StateDirectory::~StateDirectory() {
  if (lock_ >= 0) close(lock_);
}

Result<StateDirectory> StateDirectory::Open(const std::string& path, const Identity& wanted) {
  if (Status s = wanted.instance.empty() ? Status() : CheckInstance(wanted.instance); !s.ok()) return s;
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return Status{Code::kInvalid, "cannot open or make the state directory " + path + ": " + error.message() +
                                      std::string(kRights)};
  }
  // Before anything is written into it.
  if (Status s = CheckKnown(path); !s.ok()) return s;
  const int lock = open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) {
    return Status{Code::kInvalid,
                  "cannot open " + path + "/lock: " + std::strerror(errno) + std::string(kRights)};
  }
  StateDirectory directory(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return Status{Code::kConflict, "the state directory " + path +
                                       " is held by another process; stop it, or choose another --state"};
  }
  if (Status s = directory.ReadOrWrite(wanted); !s.ok()) return s;
  return directory;
}

Status StateDirectory::CheckOwner(std::map<std::string, std::string>& found, const Identity& wanted) const {
  if (found["format"] != kFormat) {
    return {Code::kConflict,
            "the state directory " + path_ + " was written by another version of Freshet (format " +
                found["format"] + ", this one knows " + std::string(kFormat) +
                "); run that version, or remove the directory: it is rebuilt from the changelog"};
  }
  if (found["job"] != wanted.job) {
    return {Code::kConflict, "the state directory " + path_ + " belongs to the job `" + found["job"] +
                                 "`; choose another --state"};
  }
  if (found["fingerprint"] != std::to_string(wanted.fingerprint)) {
    return {
        Code::kConflict,
        "the job file has other stages, shards, keys or tables (or `partitioned_by` and `order`) than those "
        "whose state is in " +
            path_ + "; set it back, or start afresh under another `prefix`"};
  }
  return {};
}

Status StateDirectory::ReadOrWrite(const Identity& wanted) {
  const std::string file = path_ + "/identity";
  identity_ = wanted;
  if (IsThere(file)) {
    Result<std::map<std::string, std::string>> found = ReadIdentity(path_);
    if (!found.ok()) return found.status();
    if (Status s = CheckOwner(*found, wanted); !s.ok()) return s;
    if (identity_.instance.empty()) identity_.instance = (*found)["instance"];
    if (identity_.instance == (*found)["instance"]) return {};
  }
  if (identity_.instance.empty()) identity_.instance = NewInstance();
  return WriteLines(file, "format=" + std::string(kFormat) + "\njob=" + identity_.job +
                              "\nfingerprint=" + std::to_string(identity_.fingerprint) +
                              "\ninstance=" + identity_.instance + "\n");
}

}  // namespace freshet
