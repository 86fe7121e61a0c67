// The jobs over made-up card payments, as shipped, against sums made by hand.
#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/hash.h"
#include "engine/cli/tx_events.h"
#include "engine/log/simulated/simulated_log.h"
#include "operators/list.h"
#include "tests/harness/job_fixture.h"
#include "tests/harness/text_file.h"

namespace freshet {
namespace {

constexpr uint32_t kPartitions = 4;

// So that a few thousand events take days, and come no more out of order: rows leave windows, and tiles with
// them.
constexpr int64_t kStep = 36;  // ms
constexpr int64_t kStretched = 45'000;

void Stretch(int index, std::string& event) {
  const size_t at = event.find("\"ts\":") + 5;
  const size_t end = event.find(',', at);
  const int64_t time = std::stoll(event.substr(at, end - at));
  event.replace(at, end - at, std::to_string(time + index * (kStretched - kStep)));
}

// The value of a field that is written once in the text.
std::string Field(const std::string& json, const std::string& name) {
  const size_t at = json.find('"' + name + "\":") + name.size() + 3;
  const size_t from = json[at] == '"' ? at + 1 : at;
  return json.substr(from, json.find_first_of(",}\"", from) - from);
}

struct Payment {
  std::string id;
  std::string card;
  Time time;
  double amount;
};

Payment Read(const std::string& event) {
  return {Field(event, "event_id"), Field(event, "card"), std::stoll(Field(event, "ts")) * kMillisecond,
          std::stod(Field(event, "amount"))};
}

std::string Shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

class Payments : public testing::Test {
 protected:
  void Make(int count) {
    TxOptions options;
    options.cards = 50;
    TxEvents events(options);
    JobInput input{"tx", kPartitions, {}};
    for (int i = 0; i < count; ++i) {
      std::string event;
      events.Append(event);
      Stretch(i, event);
      payments_.push_back(Read(event));
      const Payment& payment = payments_.back();
      input.records.push_back({static_cast<int32_t>(ShardOf(payment.card, kPartitions)),
                               payment.time,
                               payment.card,
                               std::move(event),
                               {}});
    }
    CreateAndFill(*log_, input);
  }
  // The records of a sink by event.
  std::map<std::string, JobRecord> Run(const std::string& job, const std::string& topic) {
    JobFixture fixture(ReadText(job), Operators(), *log_, broker_.clock());
    const JobOutcome outcome = fixture.Run();
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    JobResult result = fixture.Read();
    std::map<std::string, JobRecord> records;
    for (JobRecord& record : result.sinks[topic]) {
      const std::string id = Field(*record.value, "event_id");
      EXPECT_TRUE(records.emplace(id, std::move(record)).second) << id << " came twice";
    }
    return records;
  }

  SimulatedBroker broker_{1};
  std::unique_ptr<Log> log_ = OpenSimulatedLog(broker_);
  std::vector<Payment> payments_;
};

struct Spent {
  double sum = 0;
  double max = 0;
  int count = 0;
};

// Over the payments of the same card so far, this one included.
Spent SpentWithin(const std::vector<Payment>& payments, size_t last, Duration window) {
  Spent spent;
  std::vector<std::pair<Time, double>> amounts;
  for (size_t i = 0; i <= last; ++i) {
    const Payment& payment = payments[i];
    if (payment.card != payments[last].card) continue;
    if (payment.time > payments[last].time || payment.time <= payments[last].time - window) continue;
    ++spent.count;
    spent.sum += payment.amount;
    spent.max = std::max(spent.max, payment.amount);
  }
  return spent;
}

TEST_F(Payments, FeaturesOfEachCard) {
  Make(6000);
  const std::map<std::string, JobRecord> rows = Run("jobs/card-features/job.yaml", "tx.features");
  ASSERT_EQ(rows.size(), payments_.size());
  int differ = 0;
  int left = 0;
  for (size_t i = 0; i < payments_.size(); ++i) {
    const Payment& payment = payments_[i];
    const JobRecord& row = rows.at(payment.id);
    EXPECT_EQ(row.key, payment.card);
    const std::string& json = *row.value;
    EXPECT_EQ(Field(json, "ts"), FormatTimestamp(payment.time));
    const Spent hour = SpentWithin(payments_, i, kHour);
    const Spent day = SpentWithin(payments_, i, kDay);
    ASSERT_EQ(Field(json, "count_1h"), std::to_string(hour.count)) << json;
    ASSERT_EQ(Field(json, "count_24h"), std::to_string(day.count)) << json;
    ASSERT_EQ(Field(json, "max_1h"), Shortest(hour.max)) << json;
    ASSERT_NEAR(std::stod(Field(json, "sum_1h")), hour.sum, 1e-7) << json;
    ASSERT_NEAR(std::stod(Field(json, "mean_1h")), hour.sum / hour.count, 1e-7) << json;
    ASSERT_NEAR(std::stod(Field(json, "sum_24h")), day.sum, 1e-7) << json;
    differ += day.count > hour.count + 1 ? 1 : 0;
    left += day.count < static_cast<int>(i / 100) ? 1 : 0;
  }
  EXPECT_GT(differ, 1000);
  EXPECT_GT(left, 500) << "few rows have left the longest window";
}

TEST_F(Payments, AmountsAboveOne) {
  Make(2000);
  const std::map<std::string, JobRecord> rows = Run("jobs/card-amounts/job.yaml", "tx.amounts");
  size_t kept = 0;
  for (const Payment& payment : payments_) {
    const auto row = rows.find(payment.id);
    ASSERT_EQ(row != rows.end(), payment.amount > 1) << payment.id;
    if (row == rows.end()) continue;
    ++kept;
    EXPECT_EQ(*row->second.value, R"({"event_id":")" + payment.id + R"(","card":")" + payment.card +
                                      R"(","ts":")" + FormatTimestamp(payment.time) + R"(","amount_usd":)" +
                                      Shortest(payment.amount * 1.1) + "}");
  }
  EXPECT_LT(kept, payments_.size());
  EXPECT_EQ(rows.size(), kept);
}

}  // namespace
}  // namespace freshet
