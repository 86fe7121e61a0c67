// What was committed outlives the process, however it ends. The writer is a program of its own, log_writer.
#include <string>
#include <thread>

#include "engine/base/random.h"
#include "engine/log/local/local_log.h"
#include "tests/harness/log_suite.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

constexpr int kEach = 3;  // records of a transaction in each partition

std::unique_ptr<Consumer> Member(Log& log) {
  ConsumerOptions options;
  options.group = "group";
  std::unique_ptr<Consumer> member = Must(log.OpenConsumer(options));
  Must(member->Join("placement"));
  Must(member->Poll(0));
  return member;
}

int64_t Position(Consumer& member) {
  return Must(member.Committed(std::vector<PartitionId>{{"topic", 0}})).front().value_or(0);
}

class LocalDurabilityTest : public testing::Test {
 protected:
  void SetUp() override {
    std::unique_ptr<Log> log = Must(OpenLocalLog(dir_.File("log"), {}));
    Must(log->Create("placement", {}));
    TopicSettings settings;
    settings.partitions = 2;
    Must(log->Create("topic", settings));
  }
  // No file of the log may grow beyond `limit` bytes.
  Process StartWriter(const std::string& limit = {}) {
    Process::Options options;
    options.command = {LOG_WRITER, dir_.File("log")};
    if (!limit.empty()) options.command.push_back(limit);
    options.errors = dir_.File("errors");
    options.output = dir_.File("output");
    return Must(Process::Start(options));
  }
  // What the writers have said so far.
  int64_t Reported() const {
    const std::string output = ReadFile(dir_.File("output"));
    const size_t end = output.rfind('\n');
    const size_t last = output.rfind("committed ", end);
    return last == std::string::npos ? 0 : std::stoll(output.substr(last + 10, end - last - 10));
  }
  // All transactions up to a position at or after what was reported are there, each whole, and nothing else.
  void CheckLog(int64_t reported) {
    std::unique_ptr<Log> log = Must(OpenLocalLog(dir_.File("log"), {}));
    const int64_t position = Position(*Member(*log));
    EXPECT_GE(position, reported);
    EXPECT_LE(position, reported + 1);
    std::unique_ptr<Consumer> consumer = Must(log->OpenConsumer({}));
    for (int32_t partition = 0; partition < 2; ++partition) {
      PartitionReader* reader = Must(consumer->Assign({"topic", partition}, 0));
      int64_t read = 0;
      while (const RecordView* record = Must(reader->Next()))
        ASSERT_EQ(record->key, std::to_string(read++ / kEach));
      EXPECT_EQ(read, position * kEach) << "partition " << partition;
    }
  }

  TempDir dir_;
};

TEST_F(LocalDurabilityTest, WhatWasCommittedOutlivesAKilledWriter) {
  Random random(11);
  int64_t reported = 0;
  for (int round = 0; round < 5; ++round) {
    Process writer = StartWriter();
    const int64_t until = reported + 5 + static_cast<int64_t>(random.Below(40));
    while (Reported() < until && writer.Running())
      std::this_thread::yield();
    ASSERT_TRUE(writer.Running()) << ReadFile(dir_.File("output"));
    writer.Kill();
    reported = Reported();
    CheckLog(reported);
    if (HasFailure()) return;
  }
}

// As on a full disk: files cannot grow any more.
TEST_F(LocalDurabilityTest, ALogThatCannotGrowSaysSoAndKeepsWhatIsCommitted) {
  Process writer = StartWriter("400000");
  EXPECT_EQ(writer.Wait(kMinute), 0) << ReadFile(dir_.File("output"));
  EXPECT_NE(ReadFile(dir_.File("output")).find("failed " + std::string(NameOf(Code::kExhausted))),
            std::string::npos)
      << ReadFile(dir_.File("output"));
  const int64_t reported = Reported();
  EXPECT_GT(reported, 0);
  CheckLog(reported);
  Process again = StartWriter();  // with room, it goes on
  while (Reported() < reported + 5 && again.Running())
    std::this_thread::yield();
  again.Kill();
  EXPECT_GE(Reported(), reported + 5);
}

}  // namespace
}  // namespace freshet
