#include "engine/runtime/state_directory.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace freshet {

namespace {

constexpr std::string_view kFormat = "1";

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "freshet";
}

std::string NewInstance() {
  std::random_device device;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string digits;
  for (int i = 0; i < 6; ++i)
    digits.push_back(kHex[device() % 16]);
  return HostName() + "-" + digits;
}

// Lines of `name=value`.
std::map<std::string, std::string> ReadLines(const std::string& file) {
  std::map<std::string, std::string> values;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos) values[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return values;
}

Status CannotWrite(const std::string& file, int error) {
  if (error == ENOSPC || error == EDQUOT)
    return {Code::kExhausted, "the disk of " + file + " is full; make room and start again"};
  return {Code::kInvalid, "cannot write " + file + ": " + std::strerror(error) +
                              "; choose another --state, or give this user the right to write there"};
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

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      identity_(std::move(other.identity_)) {}

StateDirectory::~StateDirectory() {
  if (lock_ >= 0) close(lock_);
}

Result<StateDirectory> StateDirectory::Open(const std::string& path, const Identity& wanted) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    return Status{Code::kInvalid, "cannot create the state directory " + path + ": " + error.message() +
                                      "; choose another --state, or give this user the right to write there"};
  const int lock = open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) {
    return Status{Code::kInvalid, "cannot open " + path + "/lock: " + std::strerror(errno) +
                                      "; choose another --state, or give this user the right to write there"};
  }
  StateDirectory directory(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return Status{Code::kConflict, "the state directory " + path +
                                       " is held by another process; stop it, or choose another --state"};
  }
  if (Status s = directory.ReadOrWrite(wanted); !s.ok()) return s;
  return directory;
}

Status StateDirectory::ReadOrWrite(const Identity& wanted) {
  const std::string file = path_ + "/identity";
  std::map<std::string, std::string> found = ReadLines(file);
  identity_ = wanted;
  if (!found.empty()) {
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
      return {Code::kConflict,
              "the job file has other stages, shards, keys or tables than those whose state is in " + path_ +
                  "; set it back, or start afresh under another `prefix`"};
    }
    if (identity_.instance.empty()) identity_.instance = found["instance"];
  }
  if (identity_.instance.empty()) identity_.instance = NewInstance();
  if (!found.empty() && found["instance"] == identity_.instance) return {};
  return WriteLines(file, "format=" + std::string(kFormat) + "\njob=" + identity_.job +
                              "\nfingerprint=" + std::to_string(identity_.fingerprint) +
                              "\ninstance=" + identity_.instance + "\n");
}

}  // namespace freshet
