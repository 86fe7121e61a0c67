// The suite that every log passes, over the simulated one: calm, and with fetches that are delayed.
#include "engine/log/simulated/simulated_log.h"
#include "tests/harness/log_suite.h"

namespace freshet {
namespace {

class SimulatedFixture final : public LogFixture {
 public:
  explicit SimulatedFixture(uint64_t seed, double delayed_fetch = 0) : broker_(seed) {
    SimulatedFaults faults;
    faults.delayed_fetch = delayed_fetch;
    broker_.set_faults(faults);
    log_ = OpenSimulatedLog(broker_);
  }
  Log& log() override { return *log_; }
  void Reopen() override {
    log_.reset();
    log_ = OpenSimulatedLog(broker_);
  }
  std::string Name(std::string_view base) override { return std::string(base) + std::to_string(++names_); }
  void Compact(const std::string& topic) override { Must(broker_.Compact(topic)); }
  void Advance(Duration by) override { broker_.Advance(by); }

 private:
  SimulatedBroker broker_;
  std::unique_ptr<Log> log_;
  int names_ = 0;
};

class SimulatedLogTest : public testing::TestWithParam<LogCase> {};

TEST_P(SimulatedLogTest, Conforms) {
  SimulatedFixture fixture(1);
  RunLogCase(GetParam(), fixture);
}

TEST_P(SimulatedLogTest, ConformsWhereFetchesAreDelayed) {
  SimulatedFixture fixture(2, 0.4);
  RunLogCase(GetParam(), fixture);
}

INSTANTIATE_TEST_SUITE_P(Log, SimulatedLogTest, testing::ValuesIn(LogCases()), LogCaseName);

TEST(SimulatedLogModel, EqualsTheNaiveModel) {
  for (uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SimulatedFixture fixture(seed, seed % 2 == 0 ? 0.3 : 0);
    RunLogModel(fixture, seed, 300);
  }
}

}  // namespace
}  // namespace freshet
