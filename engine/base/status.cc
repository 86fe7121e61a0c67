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

}  // namespace freshet
