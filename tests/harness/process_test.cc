#include "tests/harness/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

TEST(Process, GivesOutputErrorsEnvironmentAndExitCode) {
  const TempDir dir;
  auto process = Process::Start({.command = {"sh", "-c", "echo \"$WORD\"; echo no >&2; exit 7"},
                                 .output = dir.File("out"),
                                 .errors = dir.File("err"),
                                 .environment = {"WORD=yes"}});
  ASSERT_TRUE(process.ok()) << process.status().message();
  EXPECT_EQ(process->Wait(30 * kSecond), 7);
  EXPECT_EQ(process->Wait(0), 7);
  EXPECT_EQ(ReadFile(dir.File("out")), "yes\n");
  EXPECT_EQ(ReadFile(dir.File("err")), "no\n");
}

TEST(Process, KillEndsAStoppedChild) {
  auto process =
      Process::Start({.command = {"sleep", "1000"}, .output = "", .errors = "", .environment = {}});
  ASSERT_TRUE(process.ok()) << process.status().message();
  EXPECT_TRUE(process->Running());
  process->Signal(SIGSTOP);
  process->Kill();
  EXPECT_EQ(process->Wait(0), 128 + SIGKILL);
  EXPECT_FALSE(process->Running());
}

TEST(Process, AMissingProgramIsExitCode127) {
  auto process =
      Process::Start({.command = {"/no/such/program"}, .output = "", .errors = "", .environment = {}});
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->Wait(30 * kSecond), 127);
}

}  // namespace
}  // namespace freshet
