// What `freshet generate tx` makes: events as described, the same for the same options.
#include "engine/cli/tx_events.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/format/format.h"
#include "engine/spec/job.h"

namespace freshet {
namespace {

constexpr Time kFirst = 1'700'000'000 * kSecond;
constexpr Duration kStep = 36 * kMillisecond;
constexpr Duration kDisorder = 5 * kSecond;

std::vector<std::string> Events(const TxOptions& options, int count) {
  TxEvents events(options);
  std::vector<std::string> made(static_cast<size_t>(count));
  for (std::string& event : made)
    events.Append(event);
  return made;
}

struct Payment {
  std::string id;
  std::string card;
  Time time = 0;
  double amount = 0;
};

// As a job reads them.
std::vector<Payment> Payments(const TxOptions& options, int count) {
  std::vector<InputField> fields(4);
  const std::array<std::pair<const char*, Type>, 4> wanted{{{"event_id", Type::kString},
                                                            {"card", Type::kString},
                                                            {"ts", Type::kTimestamp},
                                                            {"amount", Type::kFloat64}}};
  for (size_t i = 0; i < fields.size(); ++i) {
    fields[i].name = wanted[i].first;
    fields[i].path = {fields[i].name};
    fields[i].type = wanted[i].second;
  }
  Pool pool;
  std::vector<ColumnBuilder> builders;
  for (const InputField& field : fields)
    builders.emplace_back(pool, field.type, static_cast<size_t>(count));
  const std::unique_ptr<Decoder> decoder = FindFormat("json")->decoder(fields);
  for (const std::string& event : Events(options, count))
    EXPECT_FALSE(decoder->Decode(event, builders).has_value()) << event;
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : builders)
    columns.push_back(builder.Finish());
  std::vector<Payment> payments;
  for (size_t row = 0; row < static_cast<size_t>(count); ++row) {
    payments.push_back({std::string(columns[0]->text(row)), std::string(columns[1]->text(row)),
                        columns[2]->values<int64_t>()[row], columns[3]->values<double>()[row]});
  }
  return payments;
}

Duration Behind(const std::vector<Payment>& payments, size_t row) {
  return kFirst + static_cast<Duration>(row) * kStep - payments[row].time;
}

TEST(TxEvents, AreTheSameForTheSameOptions) {
  TxOptions options;
  const std::vector<std::string> events = Events(options, 1000);
  const std::vector<std::string> fewer = Events(options, 100);
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), events.begin()));
  options.seed = 43;
  EXPECT_NE(Events(options, 1), Events({}, 1));
}

// The peers that Freshet is measured beside read the same ones.
TEST(TxEvents, NeverChange) {
  EXPECT_EQ(Events({}, 1)[0],
            R"({"event_id":"e0000000000","card":"c0007932","ts":1699999996898,"amount":127.87,)"
            R"("merchant":"m0584","mcc":5001,"country":"GB","device":"ios","channel":"pos",)"
            R"("ip":"10.178.221.101","lat":35.418091,"lon":-114.141541,"note":"card present, regular"})");
}

TEST(TxEvents, HaveAbout240Bytes) {
  size_t bytes = 0;
  for (const std::string& event : Events({}, 1000))
    bytes += event.size();
  EXPECT_NEAR(static_cast<double>(bytes) / 1000, 240, 5);
}

TEST(TxEvents, ComeWithinFiveSecondsOfDisorder) {
  const std::vector<Payment> payments = Payments({}, 5000);
  Duration most = 0;
  for (size_t row = 0; row < payments.size(); ++row) {
    ASSERT_GE(Behind(payments, row), 0);
    most = std::max(most, Behind(payments, row));
    ASSERT_GT(payments[row].amount, 0);
  }
  EXPECT_LT(most, kDisorder);
  EXPECT_GT(most, kDisorder * 9 / 10);
}

TEST(TxEvents, AShareIsLaterThanThatWhereAskedFor) {
  TxOptions options;
  options.late = 0.1;
  const std::vector<Payment> payments = Payments(options, 5000);
  double late = 0;
  for (size_t row = 0; row < payments.size(); ++row) {
    late += Behind(payments, row) >= kDisorder ? 1 : 0;
    ASSERT_LT(Behind(payments, row), kHour + kDisorder);
  }
  EXPECT_NEAR(late / 5000, 0.1, 0.02);
}

std::map<std::string, int> CountsByCard(const TxOptions& options, int count) {
  std::map<std::string, int> counts;
  for (const Payment& payment : Payments(options, count))
    ++counts[payment.card];
  return counts;
}

int Most(const std::map<std::string, int>& counts) {
  int most = 0;
  for (const auto& [card, count] : counts)
    most = std::max(most, count);
  return most;
}

// With 100 cards and Zipf(1) the first pays every 5.19th time: 1 / (1 + 1/2 + … + 1/100).
TEST(TxEvents, SomeCardsPayOften) {
  TxOptions options;
  options.cards = 100;
  const std::map<std::string, int> counts = CountsByCard(options, 20'000);
  EXPECT_EQ(counts.size(), 100U);
  EXPECT_NEAR(Most(counts) / 20'000.0, 1 / 5.187, 0.02);
  options.zipf = 0;
  EXPECT_NEAR(Most(CountsByCard(options, 20'000)) / 20'000.0, 0.01, 0.005);
}

TEST(TxEvents, AnyNumberOfCards) {
  TxOptions options;
  options.zipf = 0;
  for (const int64_t cards : {2, 7, 7907, 7919}) {
    options.cards = cards;
    EXPECT_GT(CountsByCard(options, 3000).size(), static_cast<size_t>(std::min<int64_t>(cards, 2000)) - 1)
        << cards;
  }
}

TEST(TxEvents, ASingleCard) {
  TxOptions options;
  options.cards = 1;
  EXPECT_EQ(CountsByCard(options, 10).size(), 1U);
}

}  // namespace
}  // namespace freshet
