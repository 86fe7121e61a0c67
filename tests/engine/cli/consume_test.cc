// `freshet consume` where its output ends.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio_ext.h>
#include <unistd.h>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/log/local/local_log.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

// Standard output goes to `file` while it lives.
class Output {
 public:
  explicit Output(int file) : old_((std::fflush(stdout), dup(STDOUT_FILENO))) {
    dup2(file, STDOUT_FILENO);
    close(file);
  }
  ~Output() {
    __fpurge(stdout);  // what could not be written
    std::clearerr(stdout);
    dup2(old_, STDOUT_FILENO);
    close(old_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

 private:
  int old_;
};

// Consumes `records` records of 1,000 bytes into `file`.
int Consume(int records, int file) {
  const TempDir dir;
  {
    Result<std::unique_ptr<Log>> log = OpenLocalLog(dir.File("log"), {});
    EXPECT_TRUE(log.ok() && (*log)->Create("clicks", {}).ok());
    Result<std::unique_ptr<Producer>> producer = (*log)->OpenProducer({});
    const std::string value(1000, 'x');
    OutgoingRecord record;
    record.topic = "clicks";
    record.value = value;
    for (int i = 0; i < records; ++i)
      EXPECT_TRUE((*producer)->Send(record).ok());
    EXPECT_TRUE((*producer)->Flush(kSecond).ok());
  }
  CommandLine line;
  line.command = "consume";
  line.operands = {"clicks"};
  line.local = dir.path();
  line.from_beginning = line.until_end = true;
  const Output output(file);
  std::signal(SIGPIPE, SIG_IGN);  // as main has it
  const int code = ConsumeCommand(line);
  std::signal(SIGPIPE, SIG_DFL);
  return code;
}

TEST(Consume, FailsWhereTheDiskIsFull) {
  EXPECT_EQ(Consume(1, open("/dev/full", O_WRONLY)), kFailed);
  EXPECT_EQ(Consume(1000, open("/dev/full", O_WRONLY)), kFailed);
}

TEST(Consume, IsDoneWhenNobodyReadsOn) {
  for (const int records : {1, 1000}) {
    int ends[2] = {};
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    EXPECT_EQ(Consume(records, ends[1]), kDone);
  }
}

TEST(Consume, IsDoneAtTheEnd) {
  EXPECT_EQ(Consume(1000, open("/dev/null", O_WRONLY)), kDone);
}

}  // namespace
}  // namespace freshet
