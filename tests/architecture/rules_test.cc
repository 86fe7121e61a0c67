// The checker itself, on small trees: a good one without faults, and one with each fault it must find.
#include "tests/architecture/rules.h"

#include <gtest/gtest.h>

#include "tests/harness/temp_dir.h"

namespace freshet::architecture {
namespace {

constexpr std::string_view kRules = R"(
# a comment
folder engine/base     ->
folder engine/log      -> engine/base
folder engine/log/disk -> engine/log
folder engine/cli      -> *
folder tests           -> *
library rocksdb/ in engine/log/disk
library boost/json in engine/log
library boost/json/deep in engine/base
library gtest/ in tests
system sys/ poll.h
header string vector
test-header gtest/gtest.h
)";

class RulesTest : public testing::Test {
 protected:
  Faults Run(std::string_view rules_text = kRules) {
    Faults faults;
    Rules rules = ParseRules(rules_text, faults);
    rules.max_lines = 5;
    const Faults found = Check(rules, ReadTree(dir_.path(), rules));
    faults.insert(faults.end(), found.begin(), found.end());
    return faults;
  }
  TempDir dir_;
};

TEST_F(RulesTest, AGoodTreeHasNoFaults) {
  dir_.Write("engine/base/a.h", "#pragma once\n#include <string>\n");
  dir_.Write("engine/base/a.cc", "#include \"engine/base/a.h\"\n#include <algorithm>\n");
  dir_.Write("engine/log/log.h", "#include <vector>\n#include \"engine/base/a.h\"\n");
  dir_.Write("engine/log/disk/disk.cc", "#include <rocksdb/db.h>\n#include \"engine/log/log.h\"\n");
  dir_.Write("engine/cli/main.cc", "#include \"engine/log/log.h\"\n#include \"engine/base/a.h\"\n");
  dir_.Write("tests/engine/log/disk/disk_test.cc",
             "#include <rocksdb/db.h>\n#include \"engine/log/log.h\"\n");
  dir_.Write("tests/harness/suite.h", "#include <gtest/gtest.h>\n#include <string>\n");
  dir_.Write("engine/base/system.cc", "#include <sys/uio.h>\n#include <poll.h>\n#include <cmath>\n");
  dir_.Write("elsewhere/b.h", "#include <iostream>\n");
  EXPECT_EQ(Run(), Faults{});
}

TEST_F(RulesTest, FindsAnArrowThatIsNotAllowed) {
  dir_.Write("engine/log/log.h", "");
  dir_.Write("engine/base/a.cc", "\n  #  include \"engine/log/log.h\"  // why not\n");
  EXPECT_EQ(Run(), Faults{"engine/base/a.cc:2: engine/base must not include engine/log/log.h"});
}

TEST_F(RulesTest, AFolderMayNotUseWhatTheFolderAboveItMay) {
  dir_.Write("engine/base/a.h", "");
  dir_.Write("engine/log/disk/disk.cc", "#include \"engine/base/a.h\"\n");
  EXPECT_EQ(Run(), Faults{"engine/log/disk/disk.cc:1: engine/log/disk must not include engine/base/a.h"});
}

TEST_F(RulesTest, NobodyButTestsIncludesTests) {
  dir_.Write("tests/harness/a.h", "");
  dir_.Write("tests/a_test.cc", "#include \"tests/harness/a.h\"\n");
  dir_.Write("engine/cli/main.cc", "#include \"tests/harness/a.h\"\n");
  EXPECT_EQ(Run(), Faults{"engine/cli/main.cc:1: engine/cli must not include tests/harness/a.h"});
}

TEST_F(RulesTest, FindsFoldersWithoutALineAndFilesThatAreNotThere) {
  dir_.Write("engine/other/a.h", "");
  dir_.Write("engine/base/a.cc", "#include \"a.h\"\n");
  const Faults faults = Run();
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_TRUE(faults[0].starts_with("engine/base/a.cc:1: \"a.h\" is no file of ours")) << faults[0];
  EXPECT_EQ(faults[1], "engine/other/a.h: arrows.txt has no line for its folder");
}

TEST_F(RulesTest, FindsCyclesOfFoldersAndOfFiles) {
  dir_.Write("engine/base/a.h", "#include \"engine/base/b.h\"\n");
  dir_.Write("engine/base/b.h", "#include \"engine/base/c.h\"\n");
  dir_.Write("engine/base/c.h", "#include \"engine/base/a.h\"\n");
  dir_.Write("engine/base/self.h", "#include \"engine/base/self.h\"\n");
  EXPECT_EQ(
      Run("folder engine/base -> engine/log\nfolder engine/log -> engine/base\n"),
      (Faults{
          "folders in a circle: engine/base -> engine/log -> engine/base",
          "engine/base/self.h:1: includes itself",
          "files in a circle: engine/base/a.h -> engine/base/b.h -> engine/base/c.h -> engine/base/a.h"}));
}

TEST_F(RulesTest, FindsHeavyHeadersAndStrayLibraries) {
  dir_.Write("engine/base/a.h", "#include <string>\n#include <iostream>\n");
  dir_.Write("engine/log/log.cc", "#include <rocksdb/db.h>\n");
  dir_.Write("engine/log/disk/disk.h", "#include <rocksdb/db.h>\n");
  dir_.Write("tests/engine/log/log_test.cc", "#include <rocksdb/db.h>\n");
  EXPECT_EQ(Run(),
            (Faults{"engine/base/a.h:2: <iostream> is too heavy for a header; include it in the .cc file",
                    "engine/log/disk/disk.h:1: <rocksdb/db.h> is too heavy for a header; include it in the "
                    ".cc file",
                    "engine/log/log.cc:1: <rocksdb/db.h> must not be used here",
                    "tests/engine/log/log_test.cc:1: <rocksdb/db.h> must not be used here"}));
}

TEST_F(RulesTest, FindsHeavyHeadersOfTests) {
  dir_.Write("tests/harness/a.h", "#include <gtest/gtest.h>\n#include <algorithm>\n");
  dir_.Write("engine/base/a.h", "#include <gtest/gtest.h>\n");
  EXPECT_EQ(
      Run(),
      (Faults{"engine/base/a.h:1: <gtest/gtest.h> is too heavy for a header; include it in the .cc file",
              "tests/harness/a.h:2: <algorithm> is too heavy for a header; include it in the .cc file",
              "engine/base/a.h:1: <gtest/gtest.h> must not be used here"}));
}

// The longest line that fits an include is its library's; what has none, nobody may include.
TEST_F(RulesTest, FindsLibrariesWithoutALine) {
  dir_.Write("engine/log/log.cc",
             "#include <boost/json.hpp>\n#include <boost/json/deep.hpp>\n#include <boost/asio.hpp>\n");
  dir_.Write("engine/base/a.cc",
             "#include <fmt/core.h>\n#include <boost/json/deep.hpp>\n#include <zlib.h>\n");
  EXPECT_EQ(Run(), (Faults{"engine/base/a.cc:1: <fmt/core.h> is of no library that arrows.txt names",
                           "engine/base/a.cc:3: <zlib.h> is of no library that arrows.txt names",
                           "engine/log/log.cc:2: <boost/json/deep.hpp> must not be used here",
                           "engine/log/log.cc:3: <boost/asio.hpp> is of no library that arrows.txt names"}));
}

TEST_F(RulesTest, FindsLongFiles) {
  dir_.Write("engine/base/five.cc", "\n\n\n\n\n");
  dir_.Write("engine/base/six.cc", "\n\n\n\n\n\n");
  EXPECT_EQ(Run(), Faults{"engine/base/six.cc: 6 lines, at most 5 are allowed; split it"});
}

TEST_F(RulesTest, FindsTypesOfOneName) {
  dir_.Write("engine/base/a.h", "class A {};\nclass B;\nnamespace {\nstruct C {};\n}  // namespace\n");
  dir_.Write("engine/base/b.h", "struct C {};\nstruct D::B {\ntemplate <>\nstruct A<int> {\n");
  dir_.Write("engine/log/log.h", "class B final : public A {\n  struct C {};\n");
  EXPECT_EQ(Run(), Faults{});
  dir_.Write("engine/log/log.cc", "\nstruct A {\n");
  EXPECT_EQ(Run(), Faults{"engine/log/log.cc:2: A is another type's name already: engine/base/a.h:1: "});
}

TEST_F(RulesTest, FindsRulesItCannotRead) {
  const Faults faults =
      Run("folder engine/base engine/log\nfolders x -> y\nfolder engine/data -> engine/nowhere\n");
  ASSERT_EQ(faults.size(), 3u);
  EXPECT_TRUE(faults[0].starts_with("arrows.txt:1: ")) << faults[0];
  EXPECT_TRUE(faults[1].starts_with("arrows.txt:2: ")) << faults[1];
  EXPECT_EQ(faults[2], "arrows.txt: folder engine/data names engine/nowhere, which has no line of its own");
}

TEST(CodeLines, LeavesOutBlanksAndMarks) {
  EXPECT_EQ(CodeLines(""), 0);
  EXPECT_EQ(CodeLines("# 1 \"a.h\"\n\n  \nint a;\n  #pragma once\nint b;"), 2);
}

}  // namespace
}  // namespace freshet::architecture
