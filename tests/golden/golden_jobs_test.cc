// Faulty job files and exactly what their author reads: tests/golden/jobs/NAME.yaml and NAME.txt, and
// NAME.set with what `--set` gives besides, one a line.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "engine/plan/plan.h"
#include "operators/list.h"
#include "tests/golden/golden_file.h"
#include "tests/harness/text_file.h"

namespace freshet {
namespace {

constexpr char kFolder[] = "tests/golden/jobs";

std::vector<std::string> Names(std::string_view extension) {
  std::vector<std::string> names;
  std::error_code none;  // started elsewhere: no tests, and the test of their number fails
  for (const auto& entry : std::filesystem::directory_iterator(kFolder, none)) {
    if (entry.path().extension() == extension) names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Overrides(const std::filesystem::path& path) {
  std::vector<std::string> overrides;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    overrides.push_back(line);
  return overrides;
}

class FaultyJob : public testing::TestWithParam<std::string> {};

TEST_P(FaultyJob, IsToldWhatIsWrongAndWhatToDo) {
  const std::filesystem::path path = std::filesystem::path(kFolder) / GetParam();
  const std::string job = std::filesystem::path(path).replace_extension(".yaml").string();
  Diagnostics diagnostics(std::filesystem::path(job).filename().string());
  const std::unique_ptr<JobPlan> plan =
      PlanJob(ReadText(job), Operators(), {Overrides(std::filesystem::path(path).replace_extension(".set"))},
              diagnostics);
  EXPECT_EQ(plan, nullptr);
  EXPECT_GT(diagnostics.errors(), 0u);
  for (const Diagnostic& one : diagnostics.all())
    EXPECT_NE(one.position.line, 0) << "nowhere: " << one.message;
  ExpectGolden(std::filesystem::path(path).replace_extension(".txt").string(), diagnostics.Text());
}

INSTANTIATE_TEST_SUITE_P(Golden, FaultyJob, testing::ValuesIn(Names(".yaml")), [](const auto& job) {
  std::string name = job.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(FaultyJobs, EveryListOfFaultsBelongsToAJob) {
  EXPECT_GE(Names(".yaml").size(), 20u);
  EXPECT_EQ(Names(".txt"), Names(".yaml"));
  const std::vector<std::string> jobs = Names(".yaml");
  for (const std::string& name : Names(".set"))
    EXPECT_TRUE(std::binary_search(jobs.begin(), jobs.end(), name)) << name;
}

// The job that ships is the other side of the coin: not one word about it.
TEST(FaultyJobs, TheJobThatShipsHasNone) {
  Diagnostics diagnostics("job.yaml");
  EXPECT_NE(PlanJob(ReadText("jobs/flight-delays/job.yaml"), Operators(), {}, diagnostics), nullptr);
  EXPECT_EQ(diagnostics.Text(), "");
}

}  // namespace
}  // namespace freshet
