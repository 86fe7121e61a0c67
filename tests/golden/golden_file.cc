#include "tests/golden/golden_file.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/harness/text_file.h"

namespace freshet {

void ExpectGolden(const std::string& path, const std::string& text) {
  const char* update = std::getenv("FRESHET_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    ASSERT_TRUE(file.good()) << "cannot write " << path;
    return;
  }
  EXPECT_EQ(ReadText(path), text) << path << " is stale, or the code is wrong. If what the code says now is "
                                  << "right, run this test with FRESHET_UPDATE_GOLDEN=1 and commit the file.";
}

}  // namespace freshet
