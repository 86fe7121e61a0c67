// Loaded into a program by LD_PRELOAD: a disk that has room for FULL_DISK_AFTER bytes more and is full from
// then on, as write(2) and fallocate(2) tell it. What a real one does, it does: the write that meets the end
// writes what still fits. Only files count, not pipes, sockets or the three standard descriptors. Any thread.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

std::atomic<int64_t>& Room() {
  static std::atomic<int64_t> room = [] {
    const char* bytes = std::getenv("FULL_DISK_AFTER");
    return bytes == nullptr ? INT64_MAX : std::strtoll(bytes, nullptr, 10);
  }();
  return room;
}

bool Counts(int file) {
  struct stat about {};
  return file > STDERR_FILENO && fstat(file, &about) == 0 && S_ISREG(about.st_mode);
}

// How many of `bytes` there is room for; the rest of the room is gone.
size_t Take(size_t bytes) {
  int64_t room = Room().load();
  int64_t taken = 0;
  do {
    taken = std::min(room, static_cast<int64_t>(bytes));
  } while (!Room().compare_exchange_weak(room, room - taken));
  return static_cast<size_t>(taken);
}

// The C library's own.
template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

template <class Write>
ssize_t WriteWhatFits(int file, size_t bytes, Write write_bytes) {
  if (bytes == 0 || !Counts(file)) return write_bytes(bytes);
  const size_t fits = Take(bytes);
  if (fits > 0) return write_bytes(fits);
  errno = ENOSPC;
  return -1;
}

bool HasRoomFor(int file, off_t bytes) {
  return !Counts(file) || Room().load() >= bytes;
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* from, size_t bytes) {
  static auto* const real = Real<ssize_t(int, const void*, size_t)>("write");
  return WriteWhatFits(file, bytes, [&](size_t fits) { return real(file, from, fits); });
}

ssize_t pwrite(int file, const void* from, size_t bytes, off_t at) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return WriteWhatFits(file, bytes, [&](size_t fits) { return real(file, from, fits, at); });
}

ssize_t pwrite64(int file, const void* from, size_t bytes, off64_t at) {
  return pwrite(file, from, bytes, at);
}

ssize_t writev(int file, const iovec* parts, int count) {
  ssize_t written = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t part = write(file, parts[i].iov_base, parts[i].iov_len);
    if (part < 0) return written > 0 ? written : part;
    written += part;
    if (static_cast<size_t>(part) < parts[i].iov_len) break;
  }
  return written;
}

int fallocate(int file, int mode, off_t at, off_t bytes) {
  static auto* const real = Real<int(int, int, off_t, off_t)>("fallocate");
  if (HasRoomFor(file, bytes)) return real(file, mode, at, bytes);
  errno = ENOSPC;
  return -1;
}

int fallocate64(int file, int mode, off64_t at, off64_t bytes) {
  return fallocate(file, mode, at, bytes);
}

int posix_fallocate(int file, off_t at, off_t bytes) {
  static auto* const real = Real<int(int, off_t, off_t)>("posix_fallocate");
  return HasRoomFor(file, bytes) ? real(file, at, bytes) : ENOSPC;
}

int posix_fallocate64(int file, off64_t at, off64_t bytes) {
  return posix_fallocate(file, at, bytes);
}

}  // extern "C"
