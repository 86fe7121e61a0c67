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
  kInDoubt,      // a commit whose outcome is unknown: recover from the log before going on
  kFenced,       // another process owns the identity or the partitions now
  kExhausted,    // disk full or a limit of the environment
  kCorrupt,      // stored bytes that cannot be what we wrote
  kCancelled,    // asked to stop
  kInternal,     // a broken invariant of ours
};

std::string_view NameOf(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // success, without allocation
  Status(Code code, std::string message) : error_(std::make_unique<Error>(Error{code, std::move(message)})) {}
  Status(const Status& other) : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) {
    if (this != &other) error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
    return *this;
  }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return error_ == nullptr; }
  Code code() const { return error_ ? error_->code : Code::kOk; }
  const std::string& message() const {
    static const std::string none;
    return error_ ? error_->message : none;
  }
  // The same error with "<context>: " before its message, for the way up.
  Status Within(std::string_view context) const {
    if (ok()) return {};
    return {code(), std::string(context) + ": " + message()};
  }

 private:
  struct Error {
    Code code;
    std::string message;
  };
  std::unique_ptr<Error> error_;
};

inline Status Invalid(std::string message) {
  return {Code::kInvalid, std::move(message)};
}
inline Status Internal(std::string message) {
  return {Code::kInternal, std::move(message)};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

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
