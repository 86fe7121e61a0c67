#pragma once
// JSON objects compared as values: members sorted, no blanks, so that an example may be written as one likes.
// Pure.
#include <string>
#include <string_view>

namespace freshet {

// One object, its members sorted by name at every depth; numbers and texts as they are written. Not for text
// that is no JSON.
std::string PlainJson(std::string_view text);

}  // namespace freshet
