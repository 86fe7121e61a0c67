#include "engine/operator/state_key.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/bytes.h"
#include "engine/base/random.h"

namespace freshet {
namespace {

// Rows of one column.
template <class T>
ColumnPtr ColumnOf(Pool& pool, Type type, const std::vector<std::optional<T>>& values) {
  ColumnBuilder builder(pool, type, values.size());
  for (const std::optional<T>& value : values) {
    if (value) {
      builder.Append(*value);
    } else {
      builder.AppendNull();
    }
  }
  return builder.Finish();
}

std::string FieldOf(const Column& column, size_t row) {
  std::string out = "before";
  EXPECT_TRUE(AppendStateField(column, row, out));
  EXPECT_TRUE(out.starts_with("before"));
  return out.substr(6);
}

// The values come back, and the order of the bytes is theirs; `Back`: as TakeOrdered gives them.
template <class Back, class T, class Less = std::less<T>>
void ExpectOrder(Type type, const std::vector<std::optional<T>>& values, Less less = {}) {
  Pool pool;
  const ColumnPtr column = ColumnOf(pool, type, values);
  for (size_t a = 0; a < values.size(); ++a) {
    const std::string bytes = FieldOf(*column, a) + "rest";
    std::string_view in = bytes;
    Back back{};
    ASSERT_TRUE(TakeOrdered(in, back));
    EXPECT_EQ(in, "rest");
    EXPECT_FALSE(less(*values[a], T(back)) || less(T(back), *values[a])) << a;
    for (size_t b = 0; b < values.size(); ++b) {
      const int order = FieldOf(*column, a).compare(FieldOf(*column, b));
      EXPECT_EQ(order < 0, less(*values[a], *values[b])) << a << " " << b;
      EXPECT_EQ(order > 0, less(*values[b], *values[a])) << a << " " << b;
    }
  }
}

TEST(StateField, OfBooleans) {
  ExpectOrder<bool, bool>(Type::kBool, {false, true});
}

TEST(StateField, OfWholeNumbersAndTimes) {
  using Limits = std::numeric_limits<int64_t>;
  std::vector<std::optional<int64_t>> values{0, 1, -1, 255, 256, -256, Limits::min(), Limits::max()};
  Random random(1);
  for (int i = 0; i < 50; ++i)
    values.emplace_back(static_cast<int64_t>(random.Next()) >> random.Below(64));
  for (const Type type : {Type::kInt64, Type::kTimestamp, Type::kDuration})
    ExpectOrder<int64_t>(type, values);
}

TEST(StateField, OfFloats) {
  using Limits = std::numeric_limits<double>;
  std::vector<std::optional<double>> values{0.0,           -0.0,
                                            1.5,           -1.5,
                                            Limits::max(), Limits::denorm_min(),
                                            -1e-320,       Limits::infinity(),
                                            std::nan(""),  -Limits::infinity()};
  ExpectOrder<double>(Type::kFloat64, values, [](double a, double b) {  // NaN last
    return std::isnan(b) ? !std::isnan(a) : a < b;
  });
}

TEST(StateField, OfTexts) {
  const std::vector<std::string> texts{"",
                                       "a",
                                       "ab",
                                       "b",
                                       std::string(1, '\0'),
                                       std::string(2, '\0'),
                                       "\xff",
                                       "a\xff",
                                       "a" + std::string(1, '\0') + "b"};
  const std::vector<std::optional<std::string_view>> values(texts.begin(), texts.end());
  for (const Type type : {Type::kString, Type::kBytes})
    ExpectOrder<std::string>(type, values);
}

TEST(StateField, OfNothingIsNoField) {
  Pool pool;
  const ColumnPtr columns[] = {
      ColumnOf<bool>(pool, Type::kBool, {std::nullopt}),
      ColumnOf<int64_t>(pool, Type::kInt64, {std::nullopt}),
      ColumnOf<int64_t>(pool, Type::kTimestamp, {std::nullopt}),
      ColumnOf<int64_t>(pool, Type::kDuration, {std::nullopt}),
      ColumnOf<double>(pool, Type::kFloat64, {std::nullopt}),
      ColumnOf<std::string_view>(pool, Type::kString, {std::nullopt}),
      ColumnOf<std::string_view>(pool, Type::kBytes, {std::nullopt}),
  };
  for (const ColumnPtr& column : columns) {
    std::string out = "before";
    EXPECT_FALSE(AppendStateField(*column, 0, out)) << NameOf(column->type());
    EXPECT_EQ(out, "before");
  }
}

struct Keys {
  Pool pool;
  Batch batch;

  Keys(const std::vector<std::optional<std::string_view>>& texts,
       const std::vector<std::optional<int64_t>>& numbers) {
    const std::vector<ColumnPtr> columns{ColumnOf(pool, Type::kString, texts),
                                         ColumnOf(pool, Type::kInt64, numbers)};
    batch = Batch::Make(pool, columns, std::vector<Time>(texts.size()), std::vector<uint32_t>(texts.size()));
  }
  std::optional<std::string> Of(const std::vector<size_t>& columns, size_t row) const {
    std::string out = "before";
    const bool made = AppendStateKey(batch, columns, static_cast<uint32_t>(row), out);
    EXPECT_TRUE(out.starts_with("before"));
    if (made) return out.substr(6);
    EXPECT_EQ(out, "before");
    return std::nullopt;
  }
};

TEST(StateKey, OfSeveralFieldsIsOrderedByTheFirstThenTheNext) {
  const Keys keys({"", "", "a", "a", "a\xff", "ab", "b"}, {-1, 7, -5, 3, 0, -9, -9});
  for (size_t row = 0; row < keys.batch.rows(); ++row) {
    const std::optional<std::string> key = keys.Of({0, 1}, row);
    ASSERT_TRUE(key);
    std::string_view in = *key;
    std::string text;
    int64_t number = 0;
    ASSERT_TRUE(TakeOrdered(in, text) && TakeOrdered(in, number));
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(text, keys.batch.column(0).text(row));
    EXPECT_EQ(number, keys.batch.column(1).values<int64_t>()[row]);
    for (size_t other = 0; other < keys.batch.rows(); ++other) {
      const auto value = [&](size_t at) {
        return std::pair(keys.batch.column(0).text(at), keys.batch.column(1).values<int64_t>()[at]);
      };
      EXPECT_EQ(*key < *keys.Of({0, 1}, other), value(row) < value(other)) << row << " " << other;
    }
  }
  EXPECT_EQ(*keys.Of({1, 0}, 3), *keys.Of({1}, 3) + *keys.Of({0}, 3));
}

// Else a scan over one key would meet the rows of another.
TEST(StateKey, IsNeverTheBeginningOfAnother) {
  const Keys keys({"", "a", "ab", std::string_view("a\0", 2), "abc", "b"}, {0, 1, 2, 3, 4, 5});
  for (const std::vector<size_t>& columns : std::vector<std::vector<size_t>>{{0}, {1}, {0, 1}, {1, 0}}) {
    for (size_t a = 0; a < keys.batch.rows(); ++a) {
      for (size_t b = 0; b < keys.batch.rows(); ++b)
        EXPECT_EQ(keys.Of(columns, a)->starts_with(*keys.Of(columns, b)), a == b) << a << " " << b;
    }
  }
}

TEST(StateKey, WithANullAnywhereIsNone) {
  const Keys keys({"a", std::nullopt, "c"}, {1, 2, std::nullopt});
  EXPECT_TRUE(keys.Of({0, 1}, 0));
  EXPECT_FALSE(keys.Of({0, 1}, 1));
  EXPECT_FALSE(keys.Of({0, 1}, 2)) << "and the first field is taken back";
  EXPECT_TRUE(keys.Of({0}, 2));
  EXPECT_EQ(keys.Of({}, 1), "") << "no key: one key for all rows";
}

}  // namespace
}  // namespace freshet
