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

// Whatever the log: a job that was tried on a directory shall run on Kafka.
TEST(JobFile, SettingsThatTheKafkaClientRefusesAreFaultsOfTheJob) {
  const TempDir dir;
  const std::string secret = dir.Write("secret", "swordfish");
  const std::string path = dir.Write("job.yaml",
                                     "job: x\n"
                                     "kafka:\n"
                                     "  linger.mss: 5\n"
                                     "  linger.ms: 5\n"
                                     "  acks: 1\n"
                                     "  security.protocol: \"${file:" +
                                         secret +
                                         "}\"\n"
                                         "sources:\n"
                                         "  a: {event_time: {field: t}, fields: {t: timestamp}}\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(LoadJob(path, {}), nullptr);
  const std::string said = testing::internal::GetCapturedStderr();
  for (const std::string part :
       {":3:15: Kafka setting `linger.mss` is unknown", ":5:9: Kafka setting `acks` may not be set",
        ":6:22: Kafka setting `security.protocol` is refused"}) {
    EXPECT_NE(said.find(path + part), std::string::npos) << part << " in\n" << said;
  }
  EXPECT_EQ(said.find("`linger.ms`"), std::string::npos) << said;
  EXPECT_EQ(said.find("swordfish"), std::string::npos) << said;
}

}  // namespace
}  // namespace freshet
