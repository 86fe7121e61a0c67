#include "engine/cli/summary.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

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
