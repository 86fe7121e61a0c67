// This project against arrows.txt, and the weight of the operator contract.
#include <gtest/gtest.h>

#include "tests/architecture/rules.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_dir.h"

namespace freshet::architecture {
namespace {

// Every operator includes the contract, so each line of it is paid for in every one of them.
constexpr int kMaxContractLines = 70'000;

std::string Preprocess(const std::string& source) {
  const TempDir dir;
  auto compiler = Process::Start({.command = {FRESHET_CXX, "-std=c++20", "-E", "-I", FRESHET_ROOT, "-x",
                                              "c++", dir.Write("source.cc", source)},
                                  .output = dir.File("out"),
                                  .errors = dir.File("err"),
                                  .environment = {}});
  EXPECT_TRUE(compiler.ok()) << compiler.status().message();
  EXPECT_EQ(compiler->Wait(60 * kSecond), 0) << ReadFile(dir.File("err"));
  return ReadFile(dir.File("out"));
}

TEST(Architecture, FollowsItsRules) {
  Faults faults;
  const Rules rules = ParseRules(ReadFile(FRESHET_ROOT "/tests/architecture/arrows.txt"), faults);
  const Tree tree = ReadTree(FRESHET_ROOT, rules);
  EXPECT_TRUE(tree.contains("engine/base/status.h")) << "the tree was not read";
  for (const std::string& fault : Check(rules, tree))
    faults.push_back(fault);
  for (const std::string& fault : faults)
    ADD_FAILURE() << fault;
}

TEST(Architecture, TheOperatorContractIsLight) {
  const std::string text = Preprocess(
      "#include \"engine/operator/definition.h\"\n"
      "#include \"engine/operator/operator.h\"\n");
  EXPECT_NE(text.find("class Operator"), std::string::npos);
  EXPECT_LE(CodeLines(text), kMaxContractLines);
}

TEST(Architecture, AHeavyContractWouldBeSeen) {
  EXPECT_GT(CodeLines(Preprocess("#include <rocksdb/db.h>\n#include <regex>\n#include <boost/asio.hpp>\n")),
            kMaxContractLines);
}

}  // namespace
}  // namespace freshet::architecture
