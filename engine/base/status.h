#pragma once
// Errors as values. A function that can fail returns Status, or Result<T> when it also yields a value;
// our code throws nothing, and exceptions of libraries stop where the library is wrapped.
// Whoever makes an error writes a message a user can act on: what is wrong, where, and what to do.
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace freshet {

enum class Code : uint8_t {
  kOk,
  kInvalid,      // the user's: a job file, a command line, a setting, a record
  kNotFound,     // a topic, file or version that should be there is not
  kConflict,     // held by another process, or written by a newer or different Freshet
  kUnreachable,  // the log does not answer
  kAborted,      // the epoch must be abandoned and repeated; nothing of it was committed
  kUnwritable,   // as kAborted, for a record that the log will never take: whatever brought it must be left
                 // out
  kInDoubt,      // a commit whose outcome is unknown: recover from the log before going on
  kFenced,       // another process owns the identity or the partitions now
  kExhausted,    // disk full or a limit of the environment
  kCorrupt,      // stored bytes that cannot be what we wrote
  kCancelled,    // asked to stop
  kInternal,     // a broken invariant of ours
};

std::string_view NameOf(Code code);

// What happens on errors only lies out of line and is marked cold, so that compilers move what leads to it
// out of the way of the rest.
class [[nodiscard]] Status {
 public:
  Status() = default;  // success, without allocation
  [[gnu::cold]] Status(Code code, std::string message);
  Status(const Status& other) : error_(other.ok() ? nullptr : other.Copy()) {}
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) { return *this = Status(other); }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return error_ == nullptr; }
  Code code() const;
  const std::string& message() const;
  // The same error with "<context>: " before its message, for the way up.
  [[gnu::cold]] Status Within(std::string_view context) const;

 private:
  struct Error;
  struct Deleter {
    [[gnu::cold]] void operator()(Error* error) const;
  };
  using Owned = std::unique_ptr<Error, Deleter>;
  [[gnu::cold]] Owned Copy() const;
  Owned error_;
};

[[gnu::cold]] Status Invalid(std::string message);
[[gnu::cold]] Status Internal(std::string message);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  [[gnu::cold]] Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return assert(ok()), *value_; }
  const T& value() const& { return assert(ok()), *value_; }
  T&& value() && { return assert(ok()), std::move(*value_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace freshet
