#include "tests/operators/learning/learning_rows.h"

#include <cmath>

#include <gtest/gtest.h>

namespace freshet {

Named<Schema> LearningStreams() {
  return {{"rows", Schema({{"a", Type::kFloat64, {}},
                           {"b", Type::kInt64, {}},
                           {"c", Type::kBool, {}},
                           {"d", Type::kDuration, {}},
                           {"carrier", Type::kString, {}},
                           {"dest", Type::kString, {}},
                           {"hour", Type::kInt64, {}},
                           {"late", Type::kBool, {}},
                           {"delay", Type::kFloat64, {}}})}};
}

std::vector<FixtureRow> LearningRows(size_t count, uint64_t seed) {
  Random random(seed);
  const std::vector<std::string> carriers = {"UA", "AA", "DL", "B6"};
  const std::vector<std::string> dests = {"IAH", "MIA", "ATL", "ORD", "SFO"};
  std::vector<FixtureRow> rows;
  for (size_t i = 0; i < count; ++i) {
    const auto maybe = [&random](const Cell& cell) { return random.Chance(0.1) ? Cell() : cell; };
    const double a = 4 * random.Uniform() - 1;
    const auto b = static_cast<int64_t>(random.Below(7)) - 2;
    const bool c = random.Chance(0.3);
    const auto d = static_cast<int64_t>(random.Below(3'000'000));
    const size_t carrier = random.Below(carriers.size());
    const double delay = a + 0.5 * static_cast<double>(b) + (carrier == 1 ? 1 : 0) + random.Uniform() - 1;
    rows.push_back({0,
                    static_cast<Time>(i) * kSecond,
                    {maybe(a), maybe(b), maybe(c), maybe(d), maybe(carriers[carrier]),
                     maybe(dests[random.Below(dests.size())]), maybe(static_cast<int64_t>(random.Below(5))),
                     delay > 1, delay}});
  }
  return rows;
}

NaiveRow NaiveOf(const FixtureRow& row, bool logistic) {
  const auto number = [&](size_t i) -> std::optional<double> {
    const Cell& cell = row.cells[i];
    if (const auto* v = std::get_if<double>(&cell)) return *v;
    if (const auto* v = std::get_if<bool>(&cell)) return *v ? 1 : 0;
    if (const auto* v = std::get_if<int64_t>(&cell)) return static_cast<double>(*v);
    return std::nullopt;
  };
  const auto seconds = [&](size_t i) {
    auto v = number(i);
    return v ? std::optional<double>(*v / 1e6) : v;
  };
  const std::string carrier = "carrier=" + ToText(row.cells[4]);
  return {{{"a", number(0)}, {"b", number(1)}, {"c", number(2)}, {"d", seconds(3)}},
          {carrier, "hour=" + ToText(row.cells[6]), carrier + ",dest=" + ToText(row.cells[5])},
          logistic ? *number(7) : *number(8)};
}

ModelNumbers NumbersOf(ModelState& state, uint32_t bits) {
  const size_t slots = kFirstHashed + (size_t{1} << bits);
  const auto weights = state.Read(state.Declare<float>("weights", slots, true));
  const auto scaler = state.Read(state.Declare<double>("scaler", 3 * kNumbers, true));
  const auto memory = state.Read(state.Declare<double>("ftrl", 2 * slots, false));
  return {{weights.begin(), weights.end()},
          {scaler.begin(), scaler.end()},
          {memory.begin(), memory.end()},
          state.version()};
}

std::vector<float> WeightsOf(ModelState& state, size_t slots) {
  const auto weights = state.Read(state.Declare<float>("weights", slots, true));
  EXPECT_EQ(weights.size(), slots);
  return {weights.begin(), weights.end()};
}

void Publish(ModelState& from, ModelState& to) {
  const Status status = from.Collect(
      true, [&to](std::string_view key, std::string_view bytes) { return to.Apply(key, bytes); });
  EXPECT_TRUE(status.ok()) << status.message();
  to.SetVersion(from.version(), from.examples());
}

}  // namespace freshet
