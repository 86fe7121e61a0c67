#pragma once
// Files that hold what the code must say. Paths are from the project root, where tests run; one thread.
#include <string>

namespace freshet {

// Expects `text` to be what the file holds. With FRESHET_UPDATE_GOLDEN=1 in the environment the file is
// written instead, and the difference is for version control to show.
void ExpectGolden(const std::string& path, const std::string& text);

}  // namespace freshet
