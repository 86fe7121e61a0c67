#include "operators/joins/kept_rows.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "state/task_store.h"
#include "tests/harness/operator_fixture.h"

namespace freshet {
namespace {

class KeptRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    budget_.limit = 1 << 20;
    std::vector<RawTable*> tables;
    for (std::unique_ptr<TaskStore>& store : stores_) {
      auto opened = TaskStore::Open("", resources_, budget_);
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      store = std::move(*opened);
      auto table = store->Declare(KeptRows::Table());
      ASSERT_TRUE(table.ok());
      tables.push_back(*table);
    }
    lists_.emplace(tables);
  }
  std::unique_ptr<KeptRows> Make(const Schema& schema, std::vector<size_t> chosen) {
    auto rows = std::make_unique<KeptRows>(schema, std::move(chosen), "rows", *lists_);
    EXPECT_TRUE(rows->Open(0).ok());
    return rows;
  }

  Pool pool_;
  StoreResources resources_{8 << 20, 8 << 20};
  CacheBudget budget_;
  std::vector<std::unique_ptr<TaskStore>> stores_ = std::vector<std::unique_ptr<TaskStore>>(2);  // by shard
  std::optional<KeyedTable> lists_;
};

const Field kA{"a", Type::kInt64, {}};
const Field kB{"b", Type::kString, {}};
const Field kC{"c", Type::kFloat64, {}};

TEST_F(KeptRowsTest, AnotherJobFileReadsWhatItStillHas) {
  const Schema before({kA, kB, kC});
  const auto old = Make(before, {0, 1, 2});
  const std::vector<FixtureRow> rows = {{0, 1, {int64_t{7}, "text", 2.5}}, {0, 2, {kNull, "more", kNull}}};
  const Batch batch = MakeBatch(pool_, before, rows);
  std::string bytes;
  old->Encode(batch, 0, 0, bytes);
  old->Encode(batch, 1, 0, bytes);

  // `a` is a text now, `c` comes before `b`, and there is a new column.
  const Schema after({kC, kB, {"a", Type::kString, {}}, {"new", Type::kBool, {}}});
  const auto now = Make(after, {0, 1, 2, 3});
  std::vector<ColumnBuilder> builders = now->Builders(pool_, 2);
  std::string_view rest = bytes;
  ASSERT_TRUE(now->Decode(0, rest, builders).ok());
  ASSERT_TRUE(now->Decode(0, rest, builders).ok());
  EXPECT_TRUE(rest.empty());
  const ColumnPtr c = builders[0].Finish();
  const ColumnPtr b = builders[1].Finish();
  EXPECT_EQ(c->values<double>()[0], 2.5);
  EXPECT_FALSE(c->valid(1));
  EXPECT_EQ(b->text(0), "text");
  EXPECT_EQ(b->text(1), "more");
  EXPECT_EQ(builders[2].Finish()->null_count(), 2U);
  EXPECT_EQ(builders[3].Finish()->null_count(), 2U);
}

// What rows were kept with, and nobody reads any more, is passed over.
TEST_F(KeptRowsTest, BuildsWhatIsChosenOnly) {
  const Schema schema({kA, kB, kC});
  const auto old = Make(schema, {0, 1, 2});
  const std::string long_text(300, 't');
  const std::vector<FixtureRow> row = {{0, 1, {int64_t{7}, long_text, 2.5}}};
  const Batch batch = MakeBatch(pool_, schema, row);
  std::string bytes;
  old->Encode(batch, 0, 0, bytes);

  const auto now = Make(schema, {2});
  std::vector<ColumnBuilder> one = now->Builders(pool_, 1);
  ASSERT_EQ(one.size(), 1U);
  std::string_view rest = bytes;
  ASSERT_TRUE(now->Decode(0, rest, one).ok());
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(one[0].Finish()->values<double>()[0], 2.5);

  std::vector<ColumnBuilder> all = old->Builders(pool_, 1);
  rest = bytes;
  ASSERT_TRUE(old->Decode(0, rest, all).ok());
  EXPECT_EQ(all[1].Finish()->text(0), long_text);
}

TEST_F(KeptRowsTest, AListIsKeptOnce) {
  const Schema schema({kA, kB});
  Make(schema, {0, 1});
  RawTable::Slot slot;
  ASSERT_TRUE(lists_->Load({0, "rows"}, slot).ok());
  const uint32_t size = slot.size();
  Make(schema, {0, 1});
  EXPECT_EQ(slot.size(), size);
  Make(schema, {0});
  EXPECT_GT(slot.size(), size);
}

// Shards that began under different job files number their lists differently.
TEST_F(KeptRowsTest, EachShardHasItsOwnNumbers) {
  const Schema schema({kA, kB});
  const auto before = Make(schema, {1});
  const auto now = std::make_unique<KeptRows>(schema, std::vector<size_t>{0, 1}, "rows", *lists_);
  for (const uint32_t shard : {0U, 1U})
    ASSERT_TRUE(now->Open(shard).ok());
  const std::vector<FixtureRow> values = {{0, 1, {int64_t{7}, "text"}}};
  const Batch batch = MakeBatch(pool_, schema, values);
  std::string old_row;
  before->Encode(batch, 0, 0, old_row);
  std::vector<std::string> rows(2);
  std::vector<ColumnBuilder> builders = now->Builders(pool_, 3);
  for (const uint32_t shard : {0U, 1U}) {
    now->Encode(batch, 0, shard, rows[shard]);
    std::string_view rest = rows[shard];
    ASSERT_TRUE(now->Decode(shard, rest, builders).ok());
    EXPECT_TRUE(rest.empty());
  }
  EXPECT_NE(rows[0], rows[1]);
  std::string_view rest = old_row;
  ASSERT_TRUE(now->Decode(0, rest, builders).ok());
  const ColumnPtr numbers = builders[0].Finish();
  const ColumnPtr texts = builders[1].Finish();
  for (const size_t row : {0U, 1U}) {
    EXPECT_EQ(numbers->values<int64_t>()[row], 7);
    EXPECT_EQ(texts->text(row), "text");
  }
  EXPECT_FALSE(numbers->valid(2));
  EXPECT_EQ(texts->text(2), "text");
}

TEST_F(KeptRowsTest, TornRowsAreFaults) {
  const Schema schema({kA, kB});
  const auto rows = Make(schema, {0, 1});
  const std::vector<FixtureRow> values = {{0, 1, {int64_t{7}, "text"}}};
  const Batch batch = MakeBatch(pool_, schema, values);
  std::string bytes;
  rows->Encode(batch, 0, 0, bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::vector<ColumnBuilder> builders = rows->Builders(pool_, 1);
    std::string_view torn(bytes.data(), size);
    EXPECT_EQ(rows->Decode(0, torn, builders).code(), Code::kCorrupt) << size;
  }
}

}  // namespace
}  // namespace freshet
