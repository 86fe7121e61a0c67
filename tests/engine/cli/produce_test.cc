// `freshet produce` on the embedded log: which lines of standard input become records.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/log/local/local_log.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

// Standard input, while it lives.
class Input {
 public:
  explicit Input(const std::string& text) : text_(text), old_(std::cin.rdbuf(text_.rdbuf())) {
    std::cin.clear();
  }
  ~Input() {
    std::cin.rdbuf(old_);
    std::cin.clear();
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

 private:
  std::istringstream text_;
  std::streambuf* old_;
};

CommandLine Line(const TempDir& dir) {
  CommandLine line;
  line.command = "produce";
  line.operands = {"clicks"};
  line.local = dir.path();
  return line;
}

int Produce(const CommandLine& line, const std::string& text) {
  const Input input(text);
  return ProduceCommand(line);
}

std::vector<std::string> Values(const TempDir& dir) {
  Result<std::unique_ptr<Log>> log = OpenLocalLog(dir.File("log"), {});
  if (!log.ok()) return {log.status().message()};
  Result<std::unique_ptr<Consumer>> consumer = (*log)->OpenConsumer({});
  Result<PartitionReader*> reader = (*consumer)->Assign({"clicks", 0}, 0);
  if (!reader.ok()) return {reader.status().message()};
  std::vector<std::string> values;
  while (true) {
    Result<const RecordView*> next = (*reader)->Next();
    if (!next.ok() || *next == nullptr) return values;
    values.emplace_back((*next)->value.value_or("none"));
  }
}

// Files of other systems end their lines with \r\n, and often with an empty one.
TEST(Produce, LeavesOutBlankLines) {
  const TempDir dir;
  CommandLine line = Line(dir);
  EXPECT_EQ(Produce(line, "{\"a\": 1}\r\n\r\n \t\n\n  {\"a\": 2}\n\r\n"), kDone);
  line.key = "a";
  EXPECT_EQ(Produce(line, "\r\n{\"a\": 3}\n   \n"), kDone);
  EXPECT_EQ(Values(dir), (std::vector<std::string>{"{\"a\": 1}\r", "  {\"a\": 2}", "{\"a\": 3}"}));
}

TEST(Produce, SendsRawLinesAsTheyAre) {
  const TempDir dir;
  CommandLine line = Line(dir);
  line.raw = true;
  EXPECT_EQ(Produce(line, "x\n\n \n"), kDone);
  EXPECT_EQ(Values(dir), (std::vector<std::string>{"x", "", " "}));
}

TEST(Produce, StopsAtALineThatIsNoObject) {
  for (const std::string bad : {" [1]", "{bad", "{\"a\": 1} {}", "{\"a\": NaN}", "x"}) {
    const TempDir dir;
    EXPECT_EQ(Produce(Line(dir), "{}\n" + bad + "\n{}\n"), kFailed) << bad;
    EXPECT_EQ(Values(dir), (std::vector<std::string>{"{}"})) << bad;
  }
}

// What was sent stays sent, so the user must learn where to go on.
TEST(Produce, SaysWhichLineIsBadAndHowManyWereSent) {
  for (const std::string key : {"", "a"}) {
    const TempDir dir;
    CommandLine line = Line(dir);
    line.key = key;
    testing::internal::CaptureStderr();
    EXPECT_EQ(Produce(line, "{\"a\": 1}\n\n{\"a\": 2}\n{bad\n{\"a\": 3}\n"), kFailed);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(said.starts_with("freshet: line 4: no ")) << said;
    EXPECT_NE(said.find("; the 2 records of the lines before it were sent: mend it, and send on from there "
                        "(`tail -n +4`)\n"),
              std::string::npos)
        << said;
    EXPECT_EQ(Values(dir), (std::vector<std::string>{"{\"a\": 1}", "{\"a\": 2}"}));
  }
}

// An input cut short is no end of it.
TEST(Produce, SaysThatTheInputCannotBeRead) {
  const TempDir dir;
  const int old = dup(STDIN_FILENO);
  const int folder = open(dir.path().c_str(), O_RDONLY | O_CLOEXEC);
  dup2(folder, STDIN_FILENO);
  testing::internal::CaptureStderr();
  EXPECT_EQ(ProduceCommand(Line(dir)), kFailed);
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      "freshet: standard input cannot be read from line 1 on; nothing was sent: mend it, and send all of "
      "it again\n");
  dup2(old, STDIN_FILENO);
  close(old);
  close(folder);
  std::clearerr(stdin);
  std::cin.clear();
}

TEST(Produce, ALineTooLargeForTheTopicIsOneThatCannotBeSent) {
  const TempDir dir;
  CommandLine line = Line(dir);
  line.raw = true;
  testing::internal::CaptureStderr();
  EXPECT_EQ(Produce(line, "x\n" + std::string(2 << 20, 'y') + "\nz\n"), kFailed);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.starts_with("freshet: line 2: ")) << said;
  EXPECT_NE(said.find("the 1 record of the lines before it"), std::string::npos) << said;
  EXPECT_EQ(Values(dir), (std::vector<std::string>{"x"}));
}

}  // namespace
}  // namespace freshet
