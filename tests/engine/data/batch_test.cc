#include "engine/data/batch.h"

#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

ColumnPtr Numbers(Pool& pool, const std::vector<int64_t>& values) {
  ColumnBuilder builder(pool, Type::kInt64, values.size());
  for (const int64_t value : values)
    builder.Append(value);
  return builder.Finish();
}

Batch Rows(Pool& pool, const std::vector<int64_t>& values, const std::vector<uint32_t>& ordinals) {
  const ColumnPtr column = Numbers(pool, values);
  return Batch::Make(pool, {&column, 1}, std::vector<Time>(values.size(), 5), ordinals);
}

std::vector<int64_t> Values(const Batch& batch) {
  const auto values = batch.column(0).values<int64_t>();
  return {values.begin(), values.end()};
}

TEST(Batch, WithSharesColumnsAndMarks) {
  Pool pool;
  const Batch batch = Rows(pool, {1, 2}, {3, 4});
  const ColumnPtr added = Numbers(pool, {7, 8});
  const Batch with = batch.With(pool, {&added, 1});
  EXPECT_EQ(&with.column(0), &batch.column(0));
  EXPECT_EQ(&with.column(1), added.get());
  EXPECT_EQ(with.times().data(), batch.times().data());
}

TEST(Batch, TakingAllRowsInOrderIsTheBatchItself) {
  Pool pool;
  const Batch batch = Rows(pool, {1, 2, 3}, {0, 1, 2});
  EXPECT_EQ(&batch.Take(pool, std::vector<uint32_t>{0, 1, 2}).column(0), &batch.column(0));
  EXPECT_EQ(Values(batch.Take(pool, std::vector<uint32_t>{0, 2, 1})), (std::vector<int64_t>{1, 3, 2}));
}

// A chain of choices copies values once: two nodes and one column are all the memory it takes.
TEST(Batch, TakeOfTakeGathersOnce) {
  Pool pool;
  const Batch batch = Rows(pool, {1, 2, 3, 4}, {0, 1, 2, 3});
  const uint64_t mallocs = pool.fresh_blocks();
  const Batch once = batch.Take(pool, std::vector<uint32_t>{3, 2, 1});
  const Batch twice = once.Take(pool, std::vector<uint32_t>{2, 0});
  EXPECT_EQ(pool.fresh_blocks(), mallocs + 2);
  EXPECT_EQ(Values(twice), (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(pool.fresh_blocks(), mallocs + 3);
  EXPECT_EQ(Values(once), (std::vector<int64_t>{4, 3, 2}));
  EXPECT_EQ(pool.fresh_blocks(), mallocs + 4) << "the step between gathers only when it is asked";
}

TEST(Batch, WithoutRowsKeepsItsColumns) {
  Pool pool;
  const Batch none = Rows(pool, {1, 2}, {0, 1}).Take(pool, {});
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.columns(), 1U);
  EXPECT_EQ(none.column(0).type(), Type::kInt64);
  EXPECT_EQ(none.column(0).rows(), 0U);
}

TEST(Batch, TheEmptyBatchTakesPartInEverything) {
  Pool pool;
  const Batch none;
  EXPECT_EQ(none.rows(), 0U);
  EXPECT_TRUE(none.Take(pool, {}).empty());
  EXPECT_TRUE(none.Project(pool, {}).empty());
  EXPECT_TRUE(none.At(pool, {}).empty());
  const ColumnPtr column = Numbers(pool, {});
  EXPECT_EQ(none.With(pool, {&column, 1}).columns(), 1U);
  EXPECT_TRUE(Batch::Merge(pool, {}, {}).empty());
  EXPECT_TRUE(Batch::MergeByOrdinal(pool, {}).empty());
  const Batch sources[] = {none, Rows(pool, {1}, {0}), none};
  EXPECT_EQ(Values(Batch::MergeByOrdinal(pool, sources)), std::vector<int64_t>{1});
}

TEST(Batch, MergesByOrdinalThenSource) {
  Pool pool;
  const Batch sources[] = {Rows(pool, {10, 11, 12}, {1, 1, 4}), Rows(pool, {20, 21}, {0, 1}),
                           Rows(pool, {30, 31}, {1, 0})};
  EXPECT_EQ(Values(Batch::MergeByOrdinal(pool, {sources, 2})), (std::vector<int64_t>{20, 10, 11, 21, 12}));
  EXPECT_EQ(Values(Batch::MergeByOrdinal(pool, sources)), (std::vector<int64_t>{20, 31, 10, 11, 21, 30, 12}))
      << "a timer's row carries 0 and may come after others";
  EXPECT_EQ(Values(Batch::MergeByOrdinal(pool, {sources + 2, 1})), (std::vector<int64_t>{31, 30}));
}

TEST(Batch, LivesWithoutWhatItCameFrom) {
  Pool pool;
  Batch kept;
  {
    const Batch batch = Rows(pool, {1, 2, 3}, {0, 1, 2});
    const ColumnPtr added = Numbers(pool, {4, 5, 6});
    kept = batch.With(pool, {&added, 1})
               .Take(pool, std::vector<uint32_t>{2, 0})
               .Project(pool, std::vector<size_t>{1});
  }
  EXPECT_EQ(Values(kept), (std::vector<int64_t>{6, 4}));
}

}  // namespace
}  // namespace freshet
