// The runtime's small parts: watermarks, the closing record, the tally, the splitter.
#include <algorithm>

#include <gtest/gtest.h>

#include "engine/base/hash.h"
#include "engine/base/random.h"
#include "engine/operator/state_key.h"
#include "engine/runtime/closing.h"
#include "engine/runtime/row_key.h"
#include "engine/runtime/tally.h"
#include "engine/runtime/watermarks.h"

namespace freshet {
namespace {

TEST(SourceWatermark, IsTheLeastOfItsPartitionsLessTheirDisorder) {
  SourceWatermark source(2, 5);
  EXPECT_EQ(source.watermark(), kMinTime);
  source.Observe(0, 100);
  EXPECT_EQ(source.watermark(), kMinTime);
  source.Observe(1, 40);
  EXPECT_EQ(source.watermark(), 35);
  source.Observe(1, 30);
  EXPECT_EQ(source.watermark(), 35);
  source.Observe(1, 200);
  EXPECT_EQ(source.watermark(), 95);
}

TEST(SourceWatermark, LeavesOutIdlePartitionsAndNeverFalls) {
  SourceWatermark source(2, 0);
  source.Observe(0, 100);
  source.SetIdle(1, true);
  EXPECT_EQ(source.watermark(), 100);
  EXPECT_FALSE(source.all_idle());
  source.Observe(1, 20);  // active again, behind
  EXPECT_FALSE(source.idle(1));
  EXPECT_EQ(source.watermark(), 100);
  source.Observe(0, 150);
  EXPECT_EQ(source.watermark(), 100);
  source.Observe(1, 120);
  EXPECT_EQ(source.watermark(), 120);
  source.SetIdle(0, true);
  source.SetIdle(1, true);
  EXPECT_TRUE(source.all_idle());
  EXPECT_EQ(source.watermark(), 150);  // that of the partition that ended last
}

TEST(SourceWatermark, OfEmptyPartitionsStaysAtTheBeginning) {
  SourceWatermark source(2, 5);
  source.SetIdle(0, true);
  source.SetIdle(1, true);
  EXPECT_EQ(source.watermark(), kMinTime);
}

// Whatever came before, a watermark taken up from what was saved goes on as the one that never stopped.
TEST(SourceWatermark, GoesOnAfterARestartAsIfNothingHadBeen) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const size_t partitions = 1 + random.Below(3);
    SourceWatermark whole(partitions, 7);
    SourceWatermark part(partitions, 7);
    Time time = 0;
    for (int step = 0; step < 100; ++step) {
      const size_t p = random.Below(partitions);
      if (random.Chance(0.1)) {
        whole.SetIdle(p, true);
        part.SetIdle(p, true);
      } else {
        time += static_cast<Time>(random.Below(5));
        const Time at = time - static_cast<Time>(random.Below(30));
        whole.Observe(p, at);
        part.Observe(p, at);
      }
      if (random.Chance(0.1)) {
        SourceWatermark restarted(partitions, 7);
        for (size_t i = 0; i < partitions; ++i)
          restarted.Restore(i, part.Save(i));
        part = restarted;
      }
      ASSERT_EQ(part.watermark(), whole.watermark()) << "seed " << seed << ", step " << step;
      ASSERT_EQ(part.all_idle(), whole.all_idle());
    }
  }
}

TEST(LeastWatermark, LeavesOutIdleSourcesUnlessAllAre) {
  std::vector<SourceWatermark> all(3, SourceWatermark(1, 0));
  all[0].Observe(0, 10);
  all[1].Observe(0, 20);
  all[2].Observe(0, 5);
  const std::vector<uint32_t> both = {0, 1};
  EXPECT_EQ(LeastWatermark(all, both), 10);
  all[0].SetIdle(0, true);
  EXPECT_EQ(LeastWatermark(all, both), 20);
  all[1].SetIdle(0, true);
  EXPECT_EQ(LeastWatermark(all, both), 20);
  all[0].Observe(0, 11);
  EXPECT_EQ(LeastWatermark(all, both), 11);
}

ClosingRecord RandomClosing(Random& random) {
  ClosingRecord record;
  record.lineage = random.Next();
  record.epoch = random.Next();
  record.lane = static_cast<uint32_t>(random.Below(9));
  record.fingerprint = random.Next();
  record.task_watermark = random.Chance(0.2) ? kMinTime : static_cast<Time>(random.Next() / 4);
  record.committed_at = static_cast<Time>(random.Next() / 4);
  for (size_t i = random.Below(5); i > 0; --i) {
    ClosingRecord::Input input;
    input.next = {{"topic" + std::to_string(i), static_cast<int32_t>(random.Below(100))},
                  static_cast<int64_t>(random.Next() / 2)};
    input.saved = {static_cast<Time>(random.Next() / 4), random.Chance(0.3) ? kMinTime : 17,
                   random.Chance(0.5)};
    record.inputs.push_back(std::move(input));
  }
  return record;
}

TEST(Closing, ComesBackAsItWasAndNothingElseDoes) {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const ClosingRecord record = RandomClosing(random);
    const std::string bytes = EncodeClosing(record);
    const Result<ClosingRecord> back = DecodeClosing(bytes);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, record);
    for (size_t cut = 0; cut < bytes.size(); ++cut)
      ASSERT_EQ(DecodeClosing(bytes.substr(0, cut)).status().code(), Code::kCorrupt) << cut;
    EXPECT_EQ(DecodeClosing(bytes + "x").status().code(), Code::kCorrupt);
  }
}

TEST(Closing, OfAnotherVersionIsRefusedWithWhatToDo) {
  std::string bytes = EncodeClosing({});
  bytes[0] = 9;
  const Status status = DecodeClosing(bytes).status();
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_NE(status.message().find("closing record 9"), std::string::npos) << status.message();
}

TEST(Tally, KeepsWhatWasCommittedAndForgetsWhatWasNot) {
  Tally tally;
  tally.live()["a"].Add(3);
  EXPECT_TRUE(tally.Committed().empty());
  tally.Keep();
  tally.live()["a"].Add(2);
  tally.Drop();
  EXPECT_EQ(tally.Committed().at("a"), 3U);
  tally.live()["a"].Add(5);
  tally.live()["b"].Add(1);
  tally.Keep();
  EXPECT_EQ(tally.Committed().at("a"), 8U);
  EXPECT_EQ(tally.Committed().at("b"), 1U);
  tally.Drop();
  tally.Drop();
  tally.Keep();
  EXPECT_EQ(tally.Committed().at("a"), 8U);
}

TEST(Sharder, KeysThatAreOneInTheStateAreOfOneShard) {
  Pool pool;
  ColumnBuilder numbers(pool, Type::kFloat64, 2);
  ColumnBuilder texts(pool, Type::kString, 2);
  for (const double zero : {0.0, -0.0}) {
    numbers.Append(zero);
    texts.Append(std::string_view("k"));
  }
  const std::vector<ColumnPtr> columns = {numbers.Finish(), texts.Finish()};
  const std::vector<Time> times = {1, 2};
  const std::vector<uint32_t> ordinals = {0, 1};
  const Batch rows = Batch::Make(pool, columns, times, ordinals);
  Sharder sharder;
  for (const std::vector<size_t>& key : {std::vector<size_t>{0}, std::vector<size_t>{0, 1}}) {
    std::string state[2];
    for (const uint32_t row : {0U, 1U})
      ASSERT_TRUE(AppendStateKey(rows, key, row, state[row]));
    ASSERT_EQ(state[0], state[1]);
    const std::span<const uint32_t> shards = sharder.ShardsOf(rows, key, Partitioner::kMurmur2, 4096);
    EXPECT_EQ(shards[0], shards[1]);
  }
}

TEST(Sharder, GivesEachRowTheShardOfItsKey) {
  Pool pool;
  Random random(3);
  ColumnBuilder texts(pool, Type::kString, 100);
  ColumnBuilder numbers(pool, Type::kInt64, 100);
  std::vector<std::string> keys;
  std::vector<Time> times;
  std::vector<uint32_t> ordinals;
  for (uint32_t i = 0; i < 100; ++i) {
    const std::string text = "k" + std::to_string(random.Below(20));
    const auto number = static_cast<int64_t>(random.Below(3)) - 1;
    texts.Append(std::string_view(text));
    numbers.Append(number);
    keys.push_back("[\"" + text + "\"," + std::to_string(number) + "]");
    times.push_back(i);
    ordinals.push_back(i);
  }
  const std::vector<ColumnPtr> columns = {texts.Finish(), numbers.Finish()};
  const Batch rows = Batch::Make(pool, columns, times, ordinals);
  Sharder sharder;
  const std::vector<size_t> key = {0, 1};
  for (const uint32_t shards : {8U, 1U, 3U, 64U}) {
    const std::span<const uint32_t> shard_of_row = sharder.ShardsOf(rows, key, Partitioner::kMurmur2, shards);
    ASSERT_EQ(shard_of_row.size(), 100U);
    for (size_t i = 0; i < 100; ++i)
      EXPECT_EQ(shard_of_row[i], (Murmur2(keys[i]) & 0x7fffffffU) % shards) << keys[i];
  }
}

}  // namespace
}  // namespace freshet
