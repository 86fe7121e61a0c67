// The suite that every log passes, over the embedded one.
#include <set>

#include "engine/log/local/local_log.h"
#include "tests/harness/log_suite.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

class LocalFixture final : public LogFixture {
 public:
  LocalFixture() { Open({}); }
  Log& log() override { return *log_; }
  std::string Name(std::string_view base) override { return std::string(base) + std::to_string(++names_); }
  void Reopen() override { Open({}); }
  void Compact(const std::string& topic) override {
    LocalLogOptions options;
    options.least_garbage = 0;  // opening looks for garbage
    Open(options);
    LogSession session(*this);
    std::unique_ptr<Consumer> waiting = session.Reader();
    const bool done = session.PollUntil(*waiting, [&] { return IsCompacted(session, topic); });
    if (!done) Must(Internal("no compaction of " + topic));
    waiting.reset();
    Open({});
  }
  void Advance(Duration /*by*/) override {}
  // It dies with its process, and so does everybody else.
  bool loses_silent_members() const override { return false; }

 private:
  static bool IsCompacted(LogSession& session, const std::string& topic) {
    const int32_t partitions = Must(session.log().Find(topic))->partitions;
    for (int32_t partition = 0; partition < partitions; ++partition) {
      std::set<std::string> seen;
      for (const OwnedRecord& record : session.ReadAll(topic, partition)) {
        if (record.key && !seen.insert(*record.key).second) return false;
      }
    }
    return true;
  }
  void Open(LocalLogOptions options) {
    log_.reset();
    options.sync = false;
    log_ = Must(OpenLocalLog(dir_.File("log"), options));
  }

  TempDir dir_;
  std::unique_ptr<Log> log_;
  int names_ = 0;
};

class LocalLogTest : public testing::TestWithParam<LogCase> {};

TEST_P(LocalLogTest, Conforms) {
  LocalFixture fixture;
  RunLogCase(GetParam(), fixture);
}
INSTANTIATE_TEST_SUITE_P(Log, LocalLogTest, testing::ValuesIn(LogCases()), LogCaseName);

TEST(LocalLogModel, EqualsTheNaiveModel) {
  for (uint64_t seed = 1; seed <= 10 && !testing::Test::HasFailure(); ++seed) {
    LocalFixture fixture;
    RunLogModel(fixture, seed, 300);
  }
}

}  // namespace
}  // namespace freshet
