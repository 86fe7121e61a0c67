#pragma once
// The conformance suite of the log: what engine/log/log.h promises, written once as functions over a
// LogFixture, so that every implementation runs the very same cases. A test binary supplies the fixture and
// one TEST_P:
//
//   class KafkaLogTest : public testing::TestWithParam<LogCase> {};
//   TEST_P(KafkaLogTest, Conforms) { KafkaFixture fixture; RunLogCase(GetParam(), fixture); }
//   INSTANTIATE_TEST_SUITE_P(Log, KafkaLogTest, testing::ValuesIn(LogCases()), LogCaseName);
//
// One thread a fixture. A case uses only names from Name(), so cases may share one broker.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/log/log.h"

namespace freshet {

class LogFixture {
 public:
  virtual ~LogFixture() = default;
  virtual Log& log() = 0;
  // Closes the log and opens it again, or restarts what stands behind it; no consumer or producer is open
  // then.
  virtual void Reopen() = 0;
  // A name that no other case has used, for topics, groups and transactional ids.
  virtual std::string Name(std::string_view base) { return std::string(base); }
  // Makes compaction of the topic happen, and returns once it has. May close and open the log like Reopen.
  virtual void Compact(const std::string& topic) = 0;
  // Lets time pass: moves the clock that was injected, or waits.
  virtual void Advance(Duration by) = 0;
  // Whether a member that does not poll for its session time-out is thrown out when others need its share.
  virtual bool loses_silent_members() const { return true; }
  // Whether a second holder of ConsumerOptions::instance takes the place of the first.
  virtual bool knows_instances() const { return true; }
  // How long a case waits for what must come; generous, since only a failing test waits so long.
  virtual Duration patience() const { return 60 * kSecond; }
};

struct LogCase {
  const char* name;  // CamelCase
  void (*run)(LogFixture& fixture);
};
const std::vector<LogCase>& LogCases();
inline void RunLogCase(const LogCase& log_case, LogFixture& fixture) {
  log_case.run(fixture);
}
std::string LogCaseName(const testing::TestParamInfo<LogCase>& info);
void PrintTo(const LogCase& log_case, std::ostream* out);

// Random operations (transactions committed and aborted, plain records, reads from anywhere, releases,
// positions, ranges, reopening) against a naive model in memory.
void RunLogModel(LogFixture& fixture, uint64_t seed, int steps);

// A record that owns its bytes.
struct OwnedRecord {
  int64_t offset = 0;
  Time timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  bool operator==(const OwnedRecord&) const = default;
};
OwnedRecord Own(const RecordView& record);
std::ostream& operator<<(std::ostream& out, const OwnedRecord& record);

// The suite's own steps, of use to other tests of a log as well. Each ends the running test when it cannot be
// done (see Must).
class LogSession {
 public:
  explicit LogSession(LogFixture& fixture) : fixture_(&fixture) {}

  Log& log() { return fixture_->log(); }
  std::string Topic(std::string_view base, int32_t partitions = 1, bool compacted = false);
  std::unique_ptr<Consumer> Reader(Isolation isolation = Isolation::kCommitted, int64_t prefetch = 1 << 20);
  // Joins `placement` and polls until every one of its partitions is this member's.
  std::unique_ptr<Consumer> Member(const std::string& group, const std::string& placement);
  std::unique_ptr<Consumer> GroupConsumer(const ConsumerOptions& options);
  std::unique_ptr<Producer> Plain();
  std::unique_ptr<Producer> Transactional(const std::string& id);  // after Init
  // Polls until `done` or patience ends; returns what `done` last said.
  bool PollUntil(Consumer& consumer, const std::function<bool()>& done);
  // Reads on until the end was reached since the last record.
  std::vector<OwnedRecord> ReadToEnd(Consumer& consumer, PartitionReader& reader);
  // A consumer of its own reads the whole partition from `from`; no transaction may be open on it.
  std::vector<OwnedRecord> ReadAll(const std::string& topic, int32_t partition = 0, int64_t from = -1,
                                   Isolation isolation = Isolation::kCommitted);
  // The range once commits and aborts have reached the partition: a broker writes their markers a moment
  // after it answered. No transaction may be open on it.
  OffsetRange Settled(const std::string& topic, int32_t partition = 0);
  OffsetRange Range(const std::string& topic, int32_t partition = 0,
                    Isolation isolation = Isolation::kCommitted);

 private:
  LogFixture* fixture_;
};

// A record without headers whose timestamp is whole milliseconds.
OutgoingRecord MakeRecord(std::string_view topic, int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, Time timestamp = 1'357'000'000'000'000);
void SendAll(Producer& producer, std::string_view topic, int32_t partition,
             const std::vector<std::string>& values);
std::vector<std::string> ValuesOf(const std::vector<OwnedRecord>& records);

// The parts that LogCases() puts together.
std::vector<LogCase> LogRecordCases();
std::vector<LogCase> LogReaderCases();
std::vector<LogCase> LogTransactionCases();
std::vector<LogCase> LogGroupCases();

// What a step must yield; otherwise the running test fails with the message and ends (by an exception, which
// gtest catches).
void Must(const Status& status);
template <class T>
T Must(Result<T> result) {
  Must(result.status());
  return std::move(result).value();
}

}  // namespace freshet

#define EXPECT_OK(expression)                                                         \
  do {                                                                                \
    const ::freshet::Status freshet_status = (expression);                            \
    EXPECT_TRUE(freshet_status.ok()) << #expression ": " << freshet_status.message(); \
  } while (false)
