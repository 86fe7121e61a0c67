// What the runtime finds where it starts: the state directory, the job's topics, changelogs to read.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "engine/runtime/catch_up.h"
#include "engine/runtime/state_directory.h"
#include "engine/runtime/topics.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_small.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

void ExpectSays(const Status& status, Code code, std::string_view part) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST(StateDirectory, KeepsItsInstanceAndIsHeldByOne) {
  const TempDir dir;
  const std::string path = dir.File("a/b");
  std::string instance;
  {
    const Result<StateDirectory> first = StateDirectory::Open(path, {"job", "", 7});
    ASSERT_TRUE(first.ok()) << first.status().message();
    instance = first->identity().instance;
    EXPECT_FALSE(instance.empty());
    ExpectSays(StateDirectory::Open(path, {"job", "", 7}).status(), Code::kConflict,
               "held by another process");
  }
  {
    const Result<StateDirectory> again = StateDirectory::Open(path, {"job", "", 7});
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(again->identity().instance, instance);
  }
  const Result<StateDirectory> named = StateDirectory::Open(path, {"job", "named", 7});
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->identity().instance, "named");
}

TEST(StateDirectory, RefusesWhatIsNotItsOwn) {
  const TempDir dir;
  ASSERT_TRUE(StateDirectory::Open(dir.path(), {"job", "i", 7}).ok());
  ExpectSays(StateDirectory::Open(dir.path(), {"other", "i", 7}).status(), Code::kConflict,
             "belongs to the job `job`; choose another --state");
  ExpectSays(StateDirectory::Open(dir.path(), {"job", "i", 8}).status(), Code::kConflict,
             "start afresh under another `prefix`");
  dir.Write("identity", "format=2\njob=job\nfingerprint=7\ninstance=i\n");
  ExpectSays(StateDirectory::Open(dir.path(), {"job", "i", 7}).status(), Code::kConflict,
             "written by another version of Freshet (format 2");
  dir.Write("file", "");
  ExpectSays(StateDirectory::Open(dir.File("file"), {"job", "i", 7}).status(), Code::kInvalid,
             "cannot open or make the state directory");
}

TEST(StateDirectory, TakesNamesOfInstancesThatFitALineAndAnIdOnTheBroker) {
  const TempDir dir;
  for (const std::string& name :
       {std::string("x\nfingerprint=1"), std::string("n\njob=else"), std::string("a b/c"),
        std::string("a\0b", 3), std::string("\xc3\xbc"), std::string(101, 'a')}) {
    ExpectSays(StateDirectory::Open(dir.File("state"), {"job", name, 7}).status(), Code::kInvalid,
               "use 1 to 100 letters, digits, `_`, `-` and `.`");
    EXPECT_FALSE(std::filesystem::exists(dir.File("state"))) << "something was written for a refused name";
  }
  ExpectSays(CheckInstance(""), Code::kInvalid, "use 1 to 100 letters");
  for (const std::string& name : {std::string("Az09_-."), std::string(100, 'a')}) {
    const Result<StateDirectory> open = StateDirectory::Open(dir.File("state"), {"job", name, 7});
    ASSERT_TRUE(open.ok()) << open.status().message();
    EXPECT_EQ(open->identity().instance, name);
  }
}

TEST(StateDirectory, WithAnIdentityThatSaysNothingIsRefused) {
  const std::string whole = "format=1\njob=job\nfingerprint=7\ninstance=i\n";
  for (const std::string& identity :
       {std::string(), std::string("garbage"), std::string(1000, '\0'), std::string("job=job\ninstance=i\n"),
        whole.substr(0, whole.find("instance")), whole.substr(0, whole.find("i\n"))}) {
    const TempDir dir;
    dir.Write("identity", identity);
    const Status status = StateDirectory::Open(dir.path(), {"job", "i", 7}).status();
    ExpectSays(status, Code::kCorrupt, dir.path() + "/identity does not say whose stores these are");
    ExpectSays(status, Code::kCorrupt, "choose another --state, or, if ");
    EXPECT_EQ(ReadFile(dir.File("identity")), identity) << "it was written over";
  }
  const TempDir dir;
  std::filesystem::create_directories(dir.File("identity"));
  ExpectSays(StateDirectory::Open(dir.path(), {"job", "i", 7}).status(), Code::kInvalid,
             "cannot read " + dir.File("identity"));
}

TEST(StateDirectory, ThatHoldsOtherThingsIsLeftAlone) {
  const TempDir dir;
  dir.Write("log/CURRENT", "");
  ExpectSays(StateDirectory::Open(dir.File("log"), {"job", "i", 7}).status(), Code::kConflict,
             "holds `CURRENT` and no identity, so it is no state directory; choose an empty or a new one");
  EXPECT_FALSE(std::filesystem::exists(dir.File("log/lock")));
  EXPECT_FALSE(std::filesystem::exists(dir.File("log/identity")));
}

// What a process may leave that was killed while it made the directory, and what a disk's top holds.
TEST(StateDirectory, ThatWasBeingMadeIsTaken) {
  const TempDir dir;
  dir.Write("lock", "");
  dir.Write("identity.new", "format=1\njo");
  std::filesystem::create_directories(dir.File("lost+found"));
  const Result<StateDirectory> open = StateDirectory::Open(dir.path(), {"job", "i", 7});
  ASSERT_TRUE(open.ok()) << open.status().message();
  EXPECT_EQ(ReadFile(dir.File("identity")), "format=1\njob=job\nfingerprint=7\ninstance=i\n");
  EXPECT_FALSE(std::filesystem::exists(dir.File("identity.new")));
}

// A directory stands where the file is to be written first: that fails for every user.
TEST(StateDirectory, ThatCannotBeWrittenSaysWhatToDo) {
  const TempDir dir;
  std::filesystem::create_directories(dir.File("state/identity.new"));
  const Status status = StateDirectory::Open(dir.File("state"), {"job", "i", 7}).status();
  ExpectSays(status, Code::kInvalid, "cannot write " + dir.File("state/identity"));
  ExpectSays(status, Code::kInvalid,
             "choose another --state, or give this user the right to read and write there");
}

TEST(Topics, OfTheJobAreCreatedAndOthersNot) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  const auto plan = PlanOf(SmallJob(), Operators());
  const Status missing = EnsureTopics(*plan, *log, {});
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_EQ(std::count(missing.message().begin(), missing.message().end(), '\n'), 3) << missing.message();
  for (const std::string_view topic : {"events", "clicks", "large", "learnt"})
    ASSERT_TRUE(log->Create(topic, {3, false, {}, -1}).ok());
  ASSERT_TRUE(EnsureTopics(*plan, *log, {}).ok());
  for (const TopicNeed& need : TopicsOf(*plan)) {
    const Result<std::optional<TopicInfo>> info = log->Find(need.topic);
    ASSERT_TRUE(info.ok() && *info) << need.topic;
    if (need.partitions > 0) {
      EXPECT_EQ((*info)->partitions, need.partitions) << need.topic;
    }
    EXPECT_EQ((*info)->compacted, need.compacted) << need.topic;
  }
  ASSERT_TRUE(EnsureTopics(*plan, *log, {}).ok());
}

TEST(Topics, ThatAreNotAsTheyMustBeAreAllNamed) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  const auto plan = PlanOf(SmallJob(), Operators());
  for (const std::string_view topic : {"events", "clicks"})
    ASSERT_TRUE(log->Create(topic, {}).ok());
  ASSERT_TRUE(log->Create("small.changelog.by_key", {5, true, {}, -1}).ok());
  ASSERT_TRUE(log->Create("small.model.m", {1, false, {}, -1}).ok());
  const Status status = EnsureTopics(*plan, *log, {true});
  ExpectSays(status, Code::kInvalid,
             "`small.changelog.by_key` (a changelog) has 5 partitions, the job needs 8");
  ExpectSays(status, Code::kInvalid, "`small.model.m` (a model) is not compacted");
}

TEST(Topics, OfTheJobItselfDoNotHangOnShards) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  const auto plan = PlanOf(SmallJob(), Operators());
  for (const std::string_view topic : {"events", "clicks"})
    ASSERT_TRUE(log->Create(topic, {}).ok());
  ASSERT_TRUE(log->Create("small.placement", {3, false, {}, -1}).ok());
  ASSERT_TRUE(log->Create("small.dead-letters", {3, false, {}, -1}).ok());
  ASSERT_TRUE(log->Create("small.model.m", {3, true, {}, -1}).ok());
  const Status status = EnsureTopics(*plan, *log, {true});
  ExpectSays(status, Code::kInvalid,
             "`small.placement` (the job's placement) has 3 partitions, the job needs 1: something else "
             "created it. It holds nothing: stop the job, delete the topic");
  ExpectSays(
      status, Code::kInvalid,
      "`small.dead-letters` (the job's dead letters) has 3 partitions, the job needs 1: something else "
      "created it. Read what you need of it, delete it");
  ExpectSays(status, Code::kInvalid,
             "`small.model.m` (a model) has 3 partitions, the job needs 1: something");
  EXPECT_EQ(status.message().find("shards"), std::string::npos) << status.message();
}

TEST(ReadAll, ReadsWhatStoodThereWhenItBeganPastMarkersAndAbortedTails) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedBroker broker(seed);
    const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    ASSERT_TRUE(log->Create("t", {2, false, {}, -1}).ok());
    ASSERT_TRUE(log->Create("p", {}).ok());
    std::vector<JobRecord> records(10);
    for (size_t i = 0; i < records.size(); ++i)
      records[i].value = std::to_string(i);
    Append(*log, "t", records);
    ProducerOptions producing;
    producing.transactional_id = "x";
    Result<std::unique_ptr<Producer>> producer = log->OpenProducer(producing);
    ASSERT_TRUE((*producer)->Init().ok() && (*producer)->Begin().ok());
    OutgoingRecord aborted;
    aborted.topic = "t";
    aborted.value = "aborted";
    ASSERT_TRUE((*producer)->Send(aborted).ok() && (*producer)->Abort().ok());
    broker.set_faults({0.5, 0, 0, 0});
    const Result<OffsetRange> range = log->Range({"t", 0}, Isolation::kUncommitted);
    ASSERT_EQ(range->end, 12);
    std::vector<std::string> read;
    const auto apply = [&](const RecordView& record) {
      read.emplace_back(record.value.value_or(""));
      return Status();
    };
    const Status status = ReadAll(*log, {{{"t", 0}, 3, range->end, apply}, {{"t", 1}, 0, 0, apply}}, 1 << 20,
                                  kMinute, broker.clock(), [] { return Status(); });
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(read, (std::vector<std::string>{"3", "4", "5", "6", "7", "8", "9"}));
  }
}

TEST(ReadAll, SaysWhatDoesNotGetOn) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  ASSERT_TRUE(log->Create("t", {}).ok());
  const auto none = [](const RecordView&) { return Status(); };
  ExpectSays(
      ReadAll(*log, {{{"t", 0}, 0, 5, none}}, 1 << 20, kMinute, broker.clock(), [] { return Status(); }),
      Code::kUnreachable, "the restore of t does not get on");
}

}  // namespace
}  // namespace freshet
