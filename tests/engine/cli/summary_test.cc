#include "engine/cli/summary.h"

#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

// What stands in `json` after `member` of the outermost object, to the line that closes it; no comma.
std::string Member(const std::string& json, const std::string& member) {
  const std::string opening = "\n  \"" + member + "\": ";
  const size_t key = json.find(opening);
  if (key == std::string::npos) return "missing";
  const size_t begin = key + opening.size();
  size_t end = json.find('\n', begin);
  if (json[end - 1] == '{') end = json.find('\n', json.find("\n  }", begin) + 1);
  if (json[end - 1] == ',') --end;
  return json.substr(begin, end - begin);
}

RunReport Report() {
  RunReport report;
  report.counts = {{"rows_in{source=\"departures\"}", 300},   {"rows_in{source=\"arrivals\"}", 200},
                   {"rows_out{sink=\"predictions\"}", 299},   {"rows_out{operator=\"seen\"}", 301},
                   {"late_labels{operator=\"labelled\"}", 4}, {"dead_letters{reason=\"wrong_type\"}", 1}};
  report.figures = {{{"models", "late", "learnt"}, 200},
                    {{"models", "late", "log_loss", "30d"}, 0.25},
                    {{"models", "late", "roc_auc"}, std::numeric_limits<double>::quiet_NaN()}};
  report.elapsed = 2 * kSecond;
  report.commits = 9;
  return report;
}

TEST(Summary, PutsEveryCountInItsPlace) {
  const std::string json = SummaryJson(Report());
  EXPECT_EQ(Member(json, "rows"),
            "{\n    \"arrivals\": 200,\n    \"departures\": 300,\n    \"predictions\": 299\n  }");
  EXPECT_EQ(Member(json, "dead_letters"), "{\n    \"wrong_type\": 1\n  }");
  EXPECT_EQ(Member(json, "operators"),
            "{\n    \"labelled\": {\n      \"late_labels\": 4\n    },\n    \"seen\": {\n      \"rows_out\": "
            "301\n    }\n  }");
}

TEST(Summary, FiguresStandWhereTheirPathsLead) {
  const std::string json = SummaryJson(Report());
  EXPECT_EQ(
      Member(json, "models"),
      "{\n    \"late\": {\n      \"learnt\": 200,\n      \"log_loss\": {\n        \"30d\": 0.25\n      },\n"
      "      \"roc_auc\": null\n    }\n  }");
}

TEST(Summary, RatesAreOfRowsReadAndOfTheTimeTaken) {
  const std::string json = SummaryJson(Report());
  const std::string rates = Member(json, "rates");
  EXPECT_NE(rates.find("\"commits\": 9,"), std::string::npos) << rates;
  EXPECT_NE(rates.find("\"rows_per_second\": 250,"), std::string::npos) << rates;
  EXPECT_NE(rates.find("\"seconds\": 2\n"), std::string::npos) << rates;
  EXPECT_NE(rates.find("\"cpu_seconds\": "), std::string::npos) << rates;
  EXPECT_NE(Member(json, "memory").find("\"peak_resident_bytes\": "), std::string::npos) << json;
}

// A reader may rely on every member, whatever the job is and however little it did.
TEST(Summary, OfARunThatDidNothingHasAllMembers) {
  const std::string json = SummaryJson(RunReport{});
  EXPECT_EQ(Member(json, "alerts"), "[]");
  EXPECT_EQ(Member(json, "baselines"), "{}");
  EXPECT_EQ(Member(json, "dead_letters"), "{}");
  EXPECT_EQ(Member(json, "models"), "{}");
  EXPECT_EQ(Member(json, "operators"), "{}");
  EXPECT_NE(Member(json, "rates").find("\"rows_per_second\": 0,"), std::string::npos) << json;
  EXPECT_TRUE(json.starts_with("{\n") && json.ends_with("\n}\n")) << json;
}

TEST(Summary, NamesAreEscaped) {
  RunReport report;
  report.figures = {{{"models", "a\"b\n", "x"}, 1}};
  EXPECT_NE(SummaryJson(report).find(R"("a\"b\n": {)"), std::string::npos) << SummaryJson(report);
}

TEST(Summary, IsTriedBeforeTheWorkAndLeavesNothingBehind) {
  const TempDir dir;
  const std::string path = dir.File("summary.json");
  EXPECT_TRUE(TrySummary(path).ok());
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  ASSERT_TRUE(WriteSummary(path, Report()).ok());
  const std::string before = ReadFile(path);
  EXPECT_TRUE(TrySummary(path).ok());
  EXPECT_EQ(ReadFile(path), before);
  EXPECT_TRUE(TrySummary("/dev/null").ok());

  EXPECT_EQ(
      TrySummary(dir.path() + "/no/such/folder.json").message(),
      "cannot write the summary to " + dir.path() +
          "/no/such/folder.json: No such file or directory; name a file, in a folder that is there, that "
          "may be written");
  EXPECT_EQ(TrySummary(dir.path()).code(), Code::kInvalid);
}

// Nothing of the job runs, and no log is made, where its summary would be lost.
TEST(Summary, ThatCannotBeWrittenStopsTheRunBeforeItBegins) {
  const TempDir dir;
  const std::string job = dir.File("job.yaml");
  std::ofstream(job) << "job: a\nsources:\n  b: {event_time: {field: t}, fields: {t: timestamp}}\n"
                        "sinks:\n  c: {from: b}\n";
  CommandLine line;
  line.command = "run";
  line.operands = {job};
  line.local = dir.File("data");
  line.until_end = true;
  line.summary = dir.path() + "/no/such/folder.json";
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunCommand(line), kUsage);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.starts_with("freshet: cannot write the summary to ")) << said;
  EXPECT_NE(access(line.local.c_str(), F_OK), 0);
}

TEST(Summary, IsWrittenOrSaysWhyNot) {
  const TempDir dir;
  const std::string path = dir.File("summary.json");
  const Status written = WriteSummary(path, Report());
  ASSERT_TRUE(written.ok()) << written.message();
  EXPECT_EQ(Member(ReadFile(path), "dead_letters"), "{\n    \"wrong_type\": 1\n  }");

  const Status refused = WriteSummary(dir.path() + "/no/such/folder.json", Report());
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.message(),
            "cannot write the summary to " + dir.path() + "/no/such/folder.json: No such file or directory");
}

}  // namespace
}  // namespace freshet
