#pragma once
// Files that hold what the code must say. Paths are from the project root, where tests run; one thread.
#include <string>

namespace freshet {

// The text of a file; a failed expectation and "" where it cannot be read.
std::string ReadText(const std::string& path);
// Expects `text` to be what the file holds. With FRESHET_UPDATE_GOLDEN=1 in the environment the file is
// written instead, and the difference is for version control to show.
void ExpectGolden(const std::string& path, const std::string& text);

}  // namespace freshet
