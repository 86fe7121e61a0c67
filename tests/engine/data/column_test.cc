#include "engine/data/column.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(Column, FillAndSetNull) {
  Pool pool;
  for (const size_t rows : {0U, 1U, 5U, 6U, 63U, 64U, 65U, 1000U}) {
    ColumnBuilder builder(pool, Type::kFloat64);
    const std::span<double> values = builder.Fill<double>(rows);
    for (size_t row = 0; row < rows; ++row)
      values[row] = static_cast<double>(row) + 0.5;
    for (size_t row = 0; row < rows; row += 7)
      builder.SetNull(row);
    const ColumnPtr column = builder.Finish();
    ASSERT_EQ(column->rows(), rows);
    EXPECT_EQ(column->all_valid(), rows == 0);
    EXPECT_EQ(column->null_count(), (rows + 6) / 7);
    for (size_t row = 0; row < rows; ++row) {
      EXPECT_EQ(column->valid(row), row % 7 != 0);
      EXPECT_EQ(column->values<double>()[row], row % 7 == 0 ? 0 : static_cast<double>(row) + 0.5);
    }
  }
}

TEST(Column, WithoutNullsHasNoBitmap) {
  Pool pool;
  ColumnBuilder builder(pool, Type::kInt64, 1);
  for (int64_t i = 0; i < 100; ++i)
    builder.Append(i);
  EXPECT_EQ(builder.last_integer(), 99);
  const ColumnPtr column = builder.Finish();
  EXPECT_TRUE(column->all_valid());
  EXPECT_EQ(column->validity(), nullptr);
  EXPECT_EQ(column->values<int64_t>()[99], 99);
}

// Kernels read the bitmap by whole words, so a null anywhere needs the words of all rows.
TEST(Column, BitmapCoversAllRows) {
  Pool pool;
  for (const size_t rows : {1U, 64U, 65U, 300U}) {
    for (const size_t null : {size_t{0}, rows / 2, rows - 1}) {
      ColumnBuilder builder(pool, Type::kBool, 1);
      for (size_t row = 0; row < rows; ++row) {
        if (row == null) {
          builder.AppendNull();
        } else {
          builder.Append(true);
        }
      }
      const ColumnPtr column = builder.Finish();
      for (size_t row = 0; row < rows; ++row) {
        const bool bit = (column->validity()[row / 64] >> (row % 64) & 1) != 0;
        EXPECT_EQ(bit, row != null);
        EXPECT_EQ(column->values<uint8_t>()[row], row == null ? 0 : 1);
      }
      EXPECT_EQ(column->null_count(), 1U);
    }
  }
}

TEST(Column, NullsInARowFollowWhatWasThere) {
  Pool pool;
  for (const Type type : {Type::kBool, Type::kInt64, Type::kString, Type::kListFloat64}) {
    for (const size_t nulls : {0U, 1U, 5U, 63U, 64U, 200U}) {
      ColumnBuilder builder(pool, type, 1);
      const auto append = [&] {
        if (type == Type::kBool) builder.Append(true);
        if (type == Type::kInt64) builder.Append(int64_t{7});
        if (type == Type::kString) builder.Append(std::string_view("text"));
        if (type == Type::kListFloat64) builder.AppendList(std::vector<double>{1, 2});
      };
      append();
      builder.AppendNulls(nulls);
      append();
      const ColumnPtr column = builder.Finish();
      ASSERT_EQ(column->rows(), nulls + 2);
      EXPECT_EQ(column->null_count(), nulls);
      EXPECT_TRUE(column->valid(0) && column->valid(nulls + 1));
      for (size_t row = 1; row <= nulls; ++row)
        ASSERT_FALSE(column->valid(row));
      if (type == Type::kBool) {
        EXPECT_EQ(std::count(column->values<uint8_t>().begin(), column->values<uint8_t>().end(), 1), 2);
      } else if (type == Type::kInt64) {
        EXPECT_EQ(column->values<int64_t>()[nulls + 1], 7);
        EXPECT_EQ(std::count(column->values<int64_t>().begin(), column->values<int64_t>().end(), 0),
                  static_cast<std::ptrdiff_t>(nulls));
      } else if (type == Type::kString) {
        EXPECT_EQ(column->text(nulls), nulls == 0 ? "text" : "");
        EXPECT_EQ(column->text(nulls + 1), "text");
      } else {
        EXPECT_EQ(column->list(nulls + 1), std::make_pair(size_t{2}, size_t{4}));
      }
    }
  }
}

TEST(Column, TextsOfAllSizes) {
  Pool pool;
  ColumnBuilder builder(pool, Type::kString, 1);
  for (int round = 0; round < 3; ++round) {  // reusable
    std::vector<std::string> texts;
    for (size_t i = 0; i < 50; ++i)
      texts.emplace_back(i * i % 97, static_cast<char>('a' + i % 26));
    for (const std::string& text : texts)
      builder.Append(std::string_view(text));
    builder.AppendNull();
    const ColumnPtr column = builder.Finish();
    ASSERT_EQ(column->rows(), texts.size() + 1);
    for (size_t i = 0; i < texts.size(); ++i)
      EXPECT_EQ(column->text(i), texts[i]);
    EXPECT_EQ(column->text(texts.size()), "");
    EXPECT_FALSE(column->valid(texts.size()));
  }
}

TEST(Column, RemoveLastTakesBackOneRow) {
  Pool pool;
  ColumnBuilder texts(pool, Type::kString, 1);
  ColumnBuilder lists(pool, Type::kListString, 1);
  ColumnBuilder numbers(pool, Type::kInt64, 1);
  const std::string_view items[] = {"x", "yy"};
  for (int i = 0; i < 10; ++i) {
    texts.Append(std::string_view("keep"));
    lists.AppendList(std::span<const std::string_view>(items, 1));
    numbers.Append(int64_t{i});
    if (i % 2 == 0) {
      texts.Append(std::string_view("a longer text that goes"));
      lists.AppendList(items);
      numbers.AppendNull();
    } else {
      texts.AppendNull();
      lists.AppendNull();
      numbers.Append(int64_t{77});
    }
    texts.RemoveLast();
    lists.RemoveLast();
    numbers.RemoveLast();
  }
  const ColumnPtr text = texts.Finish();
  const ColumnPtr list = lists.Finish();
  const ColumnPtr number = numbers.Finish();
  ASSERT_EQ(text->rows(), 10U);
  ASSERT_EQ(list->rows(), 10U);
  EXPECT_EQ(list->items().rows(), 10U);
  for (size_t row = 0; row < 10; ++row) {
    EXPECT_TRUE(text->valid(row) && list->valid(row) && number->valid(row));
    EXPECT_EQ(text->text(row), "keep");
    EXPECT_EQ(list->items().text(list->list(row).first), "x");
    EXPECT_EQ(number->values<int64_t>()[row], static_cast<int64_t>(row));
  }
}

TEST(Column, NullWhereAValueWasTakenBackIsZero) {
  Pool pool;
  const std::string_view item = "item";
  for (const Type type : {Type::kBool, Type::kInt64, Type::kFloat64, Type::kTimestamp, Type::kDuration,
                          Type::kString, Type::kBytes, Type::kListFloat64, Type::kListString}) {
    for (const size_t before : {0U, 1U, 5U, 63U, 64U, 200U}) {
      ColumnBuilder builder(pool, type, 1);
      const auto append = [&] {
        if (type == Type::kBool) return builder.Append(true);
        if (type == Type::kFloat64) return builder.Append(-2.5);
        if (IsText(type)) return builder.Append(std::string_view("text"));
        if (type == Type::kListFloat64) return builder.AppendList(std::vector<double>{1});
        if (type == Type::kListString) return builder.AppendList(std::span<const std::string_view>(&item, 1));
        builder.Append(int64_t{-7});
      };
      for (size_t row = 0; row <= before; ++row)
        append();
      builder.RemoveLast();
      builder.AppendNull();
      append();
      const ColumnPtr column = builder.Finish();
      ASSERT_EQ(column->rows(), before + 2);
      EXPECT_EQ(column->null_count(), 1U);
      ASSERT_FALSE(column->valid(before));
      if (IsText(type)) {
        EXPECT_EQ(column->text(before), "");
        EXPECT_EQ(column->text(before + 1), "text");
      } else if (IsList(type)) {
        EXPECT_EQ(column->list(before), std::make_pair(before, before));
        EXPECT_EQ(column->items().rows(), before + 1);
      } else if (type == Type::kBool) {
        EXPECT_EQ(column->values<uint8_t>()[before], 0);
      } else {  // all bits, so +0 of a float64
        EXPECT_EQ(column->values<int64_t>()[before], 0) << NameOf(type);
      }
    }
  }
}

TEST(Column, BuildersMoveWithWhatTheyHold) {
  Pool pool;
  std::vector<ColumnBuilder> builders;
  for (int64_t i = 0; i < 20; ++i) {
    builders.emplace_back(pool, Type::kListFloat64);
    const double item = static_cast<double>(i);
    builders.back().AppendList(std::span<const double>(&item, 1));
  }
  for (size_t i = 0; i < 20; ++i) {
    if (i % 2 == 0) continue;  // dropped unfinished
    const ColumnPtr column = builders[i].Finish();
    EXPECT_EQ(column->items().values<double>()[column->list(0).first], static_cast<double>(i));
  }
}

TEST(Column, EmptyColumnsOfEveryType) {
  Pool pool;
  for (int type = 0; type <= static_cast<int>(Type::kListString); ++type) {
    ColumnBuilder builder(pool, static_cast<Type>(type));
    const ColumnPtr column = builder.Finish();
    EXPECT_EQ(column->rows(), 0U);
    EXPECT_EQ(column->type(), static_cast<Type>(type));
    EXPECT_TRUE(column->all_valid());
    const ColumnPtr nulls = NullColumn(pool, static_cast<Type>(type), 70);
    EXPECT_EQ(nulls->null_count(), 70U);
    const uint32_t rows[] = {69, 0, 69};
    EXPECT_EQ(Gather(pool, *nulls, rows)->null_count(), 3U);
    EXPECT_EQ(Gather(pool, *nulls, {})->rows(), 0U);
  }
}

TEST(Column, GatherRepeatsAndReorders) {
  Pool pool;
  ColumnBuilder builder(pool, Type::kInt64);
  for (int64_t i = 0; i < 200; ++i) {
    if (i % 5 == 0) {
      builder.AppendNull();
    } else {
      builder.Append(i);
    }
  }
  const ColumnPtr column = builder.Finish();
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < 500; ++i)
    rows.push_back(i * 7 % 200);
  const ColumnPtr gathered = Gather(pool, *column, rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(gathered->valid(i), rows[i] % 5 != 0);
    EXPECT_EQ(gathered->values<int64_t>()[i], rows[i] % 5 == 0 ? 0 : static_cast<int64_t>(rows[i]));
  }
}

}  // namespace
}  // namespace freshet
