// The suite that every log passes, on a real broker.
#include <algorithm>

#include "tests/engine/log/kafka/kafka_fixture.h"

namespace freshet {
namespace {

class KafkaLogTest : public testing::TestWithParam<LogCase> {};

TEST_P(KafkaLogTest, Conforms) {
  KafkaFixture fixture;
  RunLogCase(GetParam(), fixture);
}
INSTANTIATE_TEST_SUITE_P(Log, KafkaLogTest, testing::ValuesIn(LogCases()), LogCaseName);

TEST(KafkaLogModel, EqualsTheNaiveModel) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    KafkaFixture fixture;
    RunLogModel(fixture, seed, 150);
  }
}

// A member whose application does not poll goes after max.poll.interval.ms, short here.
class SilentFixture final : public KafkaFixture {
 public:
  SilentFixture() : KafkaFixture(KafkaSettings{{"max.poll.interval.ms", "6000"}}) {}
  bool loses_silent_members() const override { return true; }
};

TEST(KafkaLog, SilentMembersAreThrownOutAndCannotCommit) {
  const std::vector<LogCase>& cases = LogCases();
  const auto found = std::find_if(cases.begin(), cases.end(), [](const LogCase& c) {
    return std::string_view(c.name) == "SilentMembersAreThrownOutAndCannotCommit";
  });
  ASSERT_NE(found, cases.end());
  SilentFixture fixture;
  RunLogCase(*found, fixture);
}

}  // namespace
}  // namespace freshet
