#pragma once
// Files that tests read. Paths are from the project root, where tests run; one thread.
#include <string>

namespace freshet {

// The text of a file; a failed expectation and "" where it cannot be read.
std::string ReadText(const std::string& path);

}  // namespace freshet
