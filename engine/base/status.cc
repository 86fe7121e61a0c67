#include "engine/base/status.h"

namespace freshet {

std::string_view NameOf(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInvalid:
      return "invalid";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kUnreachable:
      return "unreachable";
    case Code::kAborted:
      return "aborted";
    case Code::kUnwritable:
      return "unwritable";
    case Code::kInDoubt:
      return "in_doubt";
    case Code::kFenced:
      return "fenced";
    case Code::kExhausted:
      return "exhausted";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "unknown";
}

struct Status::Error {
  Code code;
  std::string message;
};

void Status::Deleter::operator()(Error* error) const {
  delete error;
}

Status::Status(Code code, std::string message) : error_(new Error{code, std::move(message)}) {}

Status::Owned Status::Copy() const {
  return Owned(new Error(*error_));
}

Code Status::code() const {
  return error_ ? error_->code : Code::kOk;
}

const std::string& Status::message() const {
  static const std::string none;
  return error_ ? error_->message : none;
}

Status Status::Within(std::string_view context) const {
  if (ok()) return {};
  return {code(), std::string(context) + ": " + message()};
}

Status Invalid(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

Status Internal(std::string message) {
  return {Code::kInternal, std::move(message)};
}

}  // namespace freshet
