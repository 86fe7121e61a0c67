#include "engine/runtime/catch_up.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "engine/log/simulated/simulated_log.h"
#include "tests/harness/job_fixture.h"

namespace freshet {
namespace {

constexpr int64_t kRecords = 20'000;

struct Scene {
  Scene() {
    JobInput input{"topic", 1, {}};
    for (int64_t i = 0; i < kRecords; ++i)
      input.records.push_back({0, 0, std::nullopt, std::to_string(i), {}});
    CreateAndFill(*log, input);
  }
  Status Read(const std::function<Status()>& keep_alive) {
    return ReadAll(*log,
                   {{{"topic", 0}, 5, kRecords, [&](const RecordView&) { return ++applied, Status(); }}},
                   1 << 20, kSecond, broker.clock(), keep_alive);
  }
  SimulatedBroker broker{1};
  std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  int64_t applied = 0;
};

TEST(CatchUp, GivesSignsOfLifeWhileItReads) {
  Scene scene;
  int64_t signs = 0;
  int64_t most_between = 0;
  int64_t seen = 0;
  const Status status = scene.Read([&] {
    ++signs;
    most_between = std::max(most_between, scene.applied - std::exchange(seen, scene.applied));
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(scene.applied, kRecords - 5);
  EXPECT_GT(signs, 2);
  EXPECT_LT(most_between, kRecords / 3);
}

TEST(CatchUp, EndsWhereTheGroupHasGivenItUp) {
  Scene scene;
  const Status status = scene.Read([] { return Status(Code::kFenced, "assigned to another process"); });
  EXPECT_EQ(status.code(), Code::kFenced);
  EXPECT_LT(scene.applied, kRecords - 5);
}

}  // namespace
}  // namespace freshet
