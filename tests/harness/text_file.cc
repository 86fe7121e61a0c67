#include "tests/harness/text_file.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace freshet {

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << "cannot read " << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace freshet
