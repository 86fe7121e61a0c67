#include "engine/data/null_columns.h"

#include <string>

#include <gtest/gtest.h>

namespace freshet {
namespace {

constexpr Type kAll[] = {Type::kBool,     Type::kInt64,       Type::kFloat64,
                         Type::kString,   Type::kBytes,       Type::kTimestamp,
                         Type::kDuration, Type::kListFloat64, Type::kListString};

void ExpectNulls(const Column& column, Type type, size_t rows) {
  EXPECT_EQ(column.type(), type);
  ASSERT_EQ(column.rows(), rows);
  EXPECT_EQ(column.null_count(), rows);
  for (size_t row = 0; row < rows; ++row) {
    EXPECT_FALSE(column.valid(row)) << row;
    if (IsList(type)) {
      const auto [first, last] = column.list(row);
      EXPECT_EQ(first, last) << row;
    } else if (IsText(type)) {
      EXPECT_EQ(column.text(row), "") << row;
    }
  }
}

// 3 and 11, as 20 and 28, have one place.
TEST(NullColumns, HaveTheRowsAndTheTypeAskedForWhateverWasBefore) {
  Pool pool;
  NullColumns nulls;
  for (const size_t rows : {3U, 11U, 3U, 20U, 30U, 28U, 20U, 0U, 8U, 0U, 1000U}) {
    for (const Type type : kAll) {
      SCOPED_TRACE(std::string(NameOf(type)) + " " + std::to_string(rows));
      ExpectNulls(*nulls.Of(pool, type, rows), type, rows);
    }
  }
}

TEST(NullColumns, ServeAgain) {
  Pool pool;
  NullColumns nulls;
  for (const Type type : kAll) {
    const ColumnPtr three = nulls.Of(pool, type, 3);
    const ColumnPtr four = nulls.Of(pool, type, 4);
    EXPECT_EQ(nulls.Of(pool, type, 3).get(), three.get()) << NameOf(type);
    EXPECT_EQ(nulls.Of(pool, type, 4).get(), four.get()) << NameOf(type);
  }
}

TEST(NullColumns, OneThatSomebodyHoldsStaysAsItIs) {
  Pool pool;
  NullColumns nulls;
  for (const Type type : kAll) {
    const ColumnPtr held = nulls.Of(pool, type, 3);
    nulls.Of(pool, type, 11);
    ExpectNulls(*held, type, 3);
  }
}

}  // namespace
}  // namespace freshet
