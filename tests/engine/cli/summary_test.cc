#include "engine/cli/summary.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
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
                   {"late_labels{operator=\"labelled\"}", 4}, {"dead_letters{reason=\"wrong_type\"}", 1},
                   {"changelog_bytes{stage=\"seen\"}", 50},   {"store_bytes{stage=\"seen\"}", 20}};
  report.figures = {{{"models", "late", "learnt"}, 200},
                    {{"models", "late", "log_loss", "30d"}, 0.25},
                    {{"models", "late", "roc_auc"}, std::numeric_limits<double>::quiet_NaN()}};
  report.elapsed = 2 * kSecond;
  report.commits = 9;
  for (const Duration taken : {1, 2, 3, 4, 8})
    report.commits_took.Add(taken * kMillisecond);
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
  EXPECT_EQ(Member(json, "stages"),
            "{\n    \"seen\": {\n      \"changelog_bytes\": 50,\n      \"store_bytes\": 20\n    }\n  }");
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
  EXPECT_NE(rates.find("\"commit_p50_seconds\": 0.003"), std::string::npos) << rates;
  EXPECT_NE(rates.find("\"commit_p99_seconds\": 0.008"), std::string::npos) << rates;
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
  EXPECT_EQ(Member(json, "stages"), "{}");
  EXPECT_NE(Member(json, "rates").find("\"rows_per_second\": 0,"), std::string::npos) << json;
  EXPECT_TRUE(json.starts_with("{\n") && json.ends_with("\n}\n")) << json;
}

TEST(Summary, NamesAreEscaped) {
  RunReport report;
  report.figures = {{{"models", "a\"b\n", "x"}, 1}};
  EXPECT_NE(SummaryJson(report).find(R"("a\"b\n": {)"), std::string::npos) << SummaryJson(report);
}

TEST(Summary, OfNoRunLeavesWhatWasThere) {
  const TempDir dir;
  const std::string path = dir.File("summary.json");
  const std::string link = dir.File("link.json");
  EXPECT_TRUE(SummaryFile::Open(path, "job.yaml").ok());
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  std::ofstream(path) << std::string(100'000, 'x');  // longer than what comes
  EXPECT_TRUE(SummaryFile::Open(path, "job.yaml").ok());
  EXPECT_EQ(ReadFile(path).size(), 100'000U);
  Result<SummaryFile> file = SummaryFile::Open(path, "job.yaml");
  ASSERT_TRUE(file.ok() && file->Write(Report()).ok());
  const std::string written = ReadFile(path);
  EXPECT_TRUE(written.starts_with("{\n") && written.ends_with("\n}\n")) << written;
  std::filesystem::create_symlink("not/there/yet", link);
  EXPECT_FALSE(SummaryFile::Open(link, "job.yaml").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

TEST(Summary, IsRefusedBeforeTheWork) {
  const TempDir dir;
  EXPECT_TRUE(SummaryFile::Open("/dev/null", "job.yaml").ok());
  EXPECT_EQ(
      SummaryFile::Open(dir.path() + "/no/such/folder.json", "job.yaml").status().message(),
      "cannot write the summary to " + dir.path() +
          "/no/such/folder.json: No such file or directory; name a file, in a folder that is there, that "
          "may be written");
  EXPECT_EQ(SummaryFile::Open(dir.path(), "job.yaml").status().code(), Code::kInvalid);
  const std::string job = dir.File("job.yaml");
  std::ofstream(job) << "job: a\n";
  const Status itself = SummaryFile::Open(dir.path() + "/./job.yaml", job).status();
  EXPECT_EQ(itself.message(), "the summary would replace the job file " + job + "; name another file");
  EXPECT_EQ(ReadFile(job), "job: a\n");
}

// One end of a pipe is opened once: who reads it gets all of it.
TEST(Summary, GoesThroughAPipe) {
  const TempDir dir;
  const std::string path = dir.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  {
    Result<SummaryFile> file = SummaryFile::Open(path, "job.yaml");
    ASSERT_TRUE(file.ok() && file->Write(Report()).ok());
  }
  std::string text(1 << 16, '\0');
  const ssize_t bytes = read(reader, text.data(), text.size());
  ASSERT_GT(bytes, 0);
  text.resize(static_cast<size_t>(bytes));
  EXPECT_TRUE(text.starts_with("{\n") && text.ends_with("\n}\n")) << text;
  close(reader);
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

TEST(Summary, IsWritten) {
  const TempDir dir;
  const std::string path = dir.File("summary.json");
  {
    Result<SummaryFile> file = SummaryFile::Open(path, "job.yaml");
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(file->Write(Report()).ok());
  }
  EXPECT_EQ(Member(ReadFile(path), "dead_letters"), "{\n    \"wrong_type\": 1\n  }");
}

}  // namespace
}  // namespace freshet
