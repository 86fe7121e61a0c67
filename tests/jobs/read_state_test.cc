// What tests compare of a job's state: every row, whatever task keeps it under whatever number.
#include <gtest/gtest.h>

#include "engine/base/bytes.h"
#include "engine/log/simulated/simulated_log.h"
#include "engine/runtime/closing.h"
#include "state/catalog.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/job_read.h"

namespace freshet {
namespace {

JobRecord Row(int32_t partition, uint64_t table, std::string_view key, std::optional<std::string> value) {
  JobRecord record;
  record.partition = partition;
  record.key.emplace();
  AppendVarint(table, *record.key);
  record.key->append(key);
  record.value = std::move(value);
  return record;
}

// The catalog's row: from now on the partition's rows of `number` are of the table `name`.
JobRecord Names(int32_t partition, uint64_t number, std::string_view name) {
  std::string key;
  AppendVarint(number, key);
  TableSpec spec;
  spec.name = name;
  return Row(partition, kCatalogTable, key, CatalogRow(spec));
}

std::string Count(int64_t count, int64_t latest = 0) {
  std::string bytes;
  AppendFixed(count, bytes);
  AppendFixed(latest, bytes);
  return bytes;
}

std::map<std::string, std::string> StateOf(const std::vector<JobRecord>& records) {
  SimulatedBroker broker(1);
  const std::unique_ptr<Log> log = OpenSimulatedLog(broker);
  CreateAndFill(*log, {"changelog", 2, records});
  return ReadState(*log, "changelog");
}

TEST(ReadState, NamesTablesAndTakesTheLastOfEachRow) {
  const auto state = StateOf({Names(0, 1, "a"), Names(0, 2, "b"), Names(1, 2, "a"), Names(1, 1, "closing"),
                              Row(0, 1, "x", "old"), Row(0, 1, "x", "new"), Row(0, 2, "x", "b's"),
                              Row(0, 1, "gone", "was here"), Row(0, 1, "gone", std::nullopt),
                              Row(1, 2, "y", "of the other task"), Row(1, 1, kClosingKey, "no matter")});
  EXPECT_EQ(state, (std::map<std::string, std::string>{
                       {"a: x", "new"}, {"a: y", "of the other task"}, {"b: x", "b's"}}));
}

TEST(ReadState, AddsUpWhatEachTaskCounts) {
  const auto state =
      StateOf({Names(0, 1, "a"), Names(0, 2, "b"), Names(1, 1, "b"), Names(1, 2, "a"),
               Row(0, 1, "", Count(3, 30)), Row(0, 2, "", Count(1)), Row(0, 2, "", std::nullopt),
               Row(1, 1, "", Count(7, 20)), Row(1, 2, "", Count(4))});
  EXPECT_EQ(state, (std::map<std::string, std::string>{{"a: ", "7, latest 30"}, {"b: ", "7, latest 20"}}));
}

}  // namespace
}  // namespace freshet
