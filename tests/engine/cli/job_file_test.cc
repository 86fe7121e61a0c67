#include "engine/cli/job_file.h"

#include <gtest/gtest.h>

#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

std::string Fault(const std::string& path) {
  const Result<std::string> text = ReadJobFile(path);
  return text.ok() ? "read" : text.status().message();
}

TEST(JobFile, IsReadAsItIs) {
  const TempDir dir;
  const std::string text("job: x\n\0\xff", 9);
  EXPECT_EQ(*ReadJobFile(dir.Write("job.yaml", text)), text);
  EXPECT_EQ(*ReadJobFile(dir.Write("empty.yaml", "")), "");
}

TEST(JobFile, ThatCannotBeReadSaysWhichAndWhatToDo) {
  const TempDir dir;
  EXPECT_EQ(Fault(dir.File("none.yaml")),
            "cannot read " + dir.File("none.yaml") +
                ": No such file or directory; name a job file, as in `freshet check "
                "jobs/flight-delays/job.yaml`");
  EXPECT_EQ(Fault(dir.path()), dir.path() + " is a directory; name the job file in it");
  dir.Write("job.yaml", "job: x\n");
  EXPECT_EQ(Fault(dir.path()),
            dir.path() + " is a directory; name the job file in it, " + dir.File("job.yaml"));
}

TEST(JobFile, WithoutEndIsNotReadToItsEnd) {
  const Result<std::string> text = ReadJobFile("/dev/zero");
  ASSERT_TRUE(text.ok());
  EXPECT_GT(text->size(), size_t{1} << 20);
}

TEST(JobFile, FaultsOfTheCommandLineAndOfTheFileAreToldAtOnce) {
  const TempDir dir;
  const std::string path = dir.Write("job.yaml", "jobs: x\nsources: {a: {event_time: {field: t}}}\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(LoadJob(path, {"commit.interval=soon", "shards=many"}), nullptr);
  const std::string said = testing::internal::GetCapturedStderr();
  for (const std::string& part : {std::string("--set commit.interval: "), std::string("--set shards: "),
                                  path + ":1:1: unknown key `jobs`", path + ":2:14: the key `fields`"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << " in\n" << said;
  }
}

}  // namespace
}  // namespace freshet
