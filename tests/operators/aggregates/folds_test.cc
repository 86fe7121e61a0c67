#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "operators/aggregates/aggregate.h"

namespace freshet {
namespace {

struct Sample {
  Time time = 0;
  double value = 0;  // as an int64 where the fold takes one
  bool counts = true;
};

bool Floats(Type type) {
  return type == Type::kFloat64;
}

// Rows of 17 bytes: time, value, bits; the bit tested is not the first, and a neighbour's is always set.
constexpr size_t kWidth = 17;
constexpr Operand kOperand{8, 16, 4};

std::string Pack(const std::vector<Sample>& samples, Type type) {
  std::string bytes;
  for (const Sample& sample : samples) {
    char row[kWidth] = {};
    const auto integer = static_cast<int64_t>(sample.value);
    std::memcpy(row, &sample.time, 8);
    Floats(type) ? std::memcpy(row + 8, &sample.value, 8) : std::memcpy(row + 8, &integer, 8);
    row[16] = sample.counts ? 6 : 2;
    bytes.append(row, kWidth);
  }
  return bytes;
}

std::string StateOf(const Fold& fold, const std::vector<Sample>& samples, Type type, Time after = kMinTime,
                    Time until = kMaxTime) {
  std::string state(fold.size, '\0');
  const std::string rows = Pack(samples, type);
  fold.add(state.data(), {rows.data(), samples.size(), kWidth}, kOperand, after, until);
  return state;
}

std::optional<double> Finish(const Fold& fold, const std::string& state, bool gone = false) {
  Pool pool;
  ColumnBuilder builder(pool, fold.result, 1);
  const uint8_t is_gone = gone ? 1 : 0;
  fold.finish(state.data(), {&is_gone, 1}, builder);
  const ColumnPtr column = builder.Finish();
  EXPECT_EQ(column->rows(), 1U);
  if (!column->valid(0)) return std::nullopt;
  return Floats(fold.result) ? column->values<double>()[0]
                             : static_cast<double>(column->values<int64_t>()[0]);
}

Fold FoldOf(std::string_view name, std::optional<Type> type) {
  const Aggregate* aggregate = FindAggregate(name);
  EXPECT_NE(aggregate, nullptr) << name;
  const std::optional<Fold> fold = aggregate->fold(type);
  EXPECT_TRUE(fold.has_value()) << name;
  EXPECT_EQ(fold->size % 8, 0U) << name;
  return *fold;
}

const std::vector<Sample> kSamples = {{10, 4}, {20, -3}, {20, 100, false}, {30, 8}, {40, 2}};

TEST(Folds, EachAgreesWithItsDefinition) {
  for (const Type type : {Type::kFloat64, Type::kInt64}) {
    const auto value = [&](std::string_view name, Time after = kMinTime, Time until = kMaxTime) {
      const Fold fold = FoldOf(name, type);
      return Finish(fold, StateOf(fold, kSamples, type, after, until));
    };
    EXPECT_EQ(value("count"), 4);
    EXPECT_EQ(value("sum"), 11);
    EXPECT_EQ(value("mean"), 2.75);
    EXPECT_EQ(value("min"), -3);
    EXPECT_EQ(value("max"), 8);
    // A row at `after` is out, one at `until` is in.
    EXPECT_EQ(value("count", 10, 30), 2);
    EXPECT_EQ(value("sum", 10, 30), 5);
    EXPECT_EQ(value("min", 20, 40), 2);
    EXPECT_EQ(value("max", 9, 10), 4);
  }
}

TEST(Folds, NothingCountsZeroAndIsNullOtherwise) {
  for (const Aggregate* aggregate : Aggregates()) {
    const Fold fold = FoldOf(aggregate->name, Type::kFloat64);
    const std::string empty(fold.size, '\0');
    EXPECT_EQ(StateOf(fold, {{10, 5, false}}, Type::kFloat64), empty) << "no rows must leave zero bytes";
    EXPECT_EQ(Finish(fold, empty), aggregate->name == "count" ? std::optional<double>(0) : std::nullopt);
    EXPECT_EQ(Finish(fold, StateOf(fold, kSamples, Type::kFloat64), true), std::nullopt) << "gone";
  }
}

TEST(Folds, MergedPartsEqualTheWhole) {
  const std::string before = "prefix--";  // states stand at an offset, unaligned
  for (const Aggregate* aggregate : Aggregates()) {
    for (const Type type : {Type::kFloat64, Type::kInt64}) {
      const Fold fold = FoldOf(aggregate->name, type);
      std::vector<std::string> parts;
      for (const Sample& sample : kSamples)
        parts.push_back("x" + before + StateOf(fold, {sample}, type));
      std::vector<const char*> pointers;
      for (const std::string& part : parts)
        pointers.push_back(part.data());
      std::string merged(fold.size, '\0');
      fold.merge(merged.data(), pointers, 1 + before.size());
      EXPECT_EQ(merged, StateOf(fold, kSamples, type)) << aggregate->name;
    }
  }
}

TEST(Folds, SumsOfIntegersDoNotWrap) {
  const auto most = static_cast<double>(int64_t{1} << 62);
  const Fold sum = FoldOf("sum", Type::kInt64);
  EXPECT_EQ(Finish(sum, StateOf(sum, {{1, most}, {2, most}, {3, -most}}, Type::kInt64)), most);
  EXPECT_EQ(Finish(sum, StateOf(sum, {{1, most}, {2, most}}, Type::kInt64)), std::nullopt)
      << "out of range: null";
  EXPECT_EQ(Finish(sum, StateOf(sum, {{1, -most}, {2, -most}}, Type::kInt64)), -2 * most);
  const Fold mean = FoldOf("mean", Type::kInt64);
  EXPECT_EQ(Finish(mean, StateOf(mean, {{1, most}, {2, most}}, Type::kInt64)), most);
  const Fold floats = FoldOf("sum", Type::kFloat64);
  const double huge = std::numeric_limits<double>::max();
  EXPECT_EQ(Finish(floats, StateOf(floats, {{1, huge}, {2, huge}}, Type::kFloat64)), std::nullopt);
}

TEST(Folds, MeansOfDurationsRoundDown) {
  const Fold mean = FoldOf("mean", Type::kDuration);
  EXPECT_EQ(mean.result, Type::kDuration);
  EXPECT_EQ(Finish(mean, StateOf(mean, {{1, 1}, {2, 2}}, Type::kDuration)), 1);
  EXPECT_EQ(Finish(mean, StateOf(mean, {{1, -1}, {2, -2}}, Type::kDuration)), -2);
}

TEST(Folds, EqualExtremesKeepTheFirst) {
  for (const char* name : {"min", "max"}) {
    const Fold fold = FoldOf(name, Type::kFloat64);
    const std::optional<double> value = Finish(fold, StateOf(fold, {{1, -0.0}, {2, 0.0}}, Type::kFloat64));
    ASSERT_TRUE(value);
    EXPECT_TRUE(std::signbit(*value)) << name;
  }
}

TEST(Folds, TypesOfArgumentsAndResults) {
  const auto result = [](std::string_view name, std::optional<Type> type) -> std::optional<Type> {
    const std::optional<Fold> fold = FindAggregate(name)->fold(type);
    return fold ? std::optional<Type>(fold->result) : std::nullopt;
  };
  EXPECT_EQ(result("count", std::nullopt), Type::kInt64);
  EXPECT_EQ(result("count", Type::kString), Type::kInt64);
  EXPECT_EQ(result("sum", Type::kBool), Type::kInt64);
  EXPECT_EQ(result("sum", Type::kDuration), Type::kDuration);
  EXPECT_EQ(result("sum", Type::kTimestamp), std::nullopt);
  EXPECT_EQ(result("mean", Type::kBool), Type::kFloat64);
  EXPECT_EQ(result("mean", Type::kInt64), Type::kFloat64);
  EXPECT_EQ(result("min", Type::kTimestamp), Type::kTimestamp);
  EXPECT_EQ(result("max", Type::kInt64), Type::kInt64);
  for (const char* name : {"sum", "mean", "min", "max"}) {
    EXPECT_EQ(result(name, Type::kString), std::nullopt) << name;
    EXPECT_EQ(result(name, Type::kListFloat64), std::nullopt) << name;
    EXPECT_EQ(result(name, std::nullopt), std::nullopt) << name;
    EXPECT_FALSE(FindAggregate(name)->takes_rows) << name;
  }
  EXPECT_EQ(FindAggregate("median"), nullptr);
}

}  // namespace
}  // namespace freshet
