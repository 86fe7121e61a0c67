#include "engine/runtime/merge.h"

#include <algorithm>
#include <tuple>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "tests/engine/runtime/fake_partition.h"

namespace freshet {
namespace {

struct Row {
  Time time;
  Role role;
  std::string source;
  int32_t partition;
  int64_t offset;
  int64_t value;
  auto operator<=>(const Row&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.source << "[" << row.partition << "]@" << row.offset << " t=" << row.time
             << " v=" << row.value;
}

class RandomGate final : public Merge::Gate {
 public:
  RandomGate(Random& random, double chance) : random_(random), chance_(chance) {}
  bool Admit(const Feed&, Time) override { return !random_.Chance(chance_); }

 private:
  Random& random_;
  double chance_;
};

// Several sources, their partitions, and the rows that were put in, as they should come out.
struct Scene {
  Scene(Random& random, bool until_end) {
    sources.push_back(FakeSource("b", Role::kEvent));
    sources.push_back(FakeSource("a", Role::kEvent));
    sources.push_back(FakeSource("z", Role::kTable));
    sources.push_back(FakeSource("c", Role::kLabel));
    for (uint32_t s = 0; s < sources.size(); ++s) {
      const auto count = static_cast<int32_t>(1 + random.Below(3));
      for (int32_t p = 0; p < count; ++p)
        AddPartition(random, s, p, until_end);
    }
    std::stable_sort(expected.begin(), expected.end(), [](const Row& x, const Row& y) {
      return std::tie(x.time, x.role, x.source, x.partition, x.offset) <
             std::tie(y.time, y.role, y.source, y.partition, y.offset);
    });
  }

  // Times of a partition never fall, so that the one order is a sort.
  void AddPartition(Random& random, uint32_t source, int32_t partition, bool until_end) {
    partitions.push_back(std::make_unique<FakePartition>());
    FakePartition& fake = *partitions.back();
    int64_t time = 0;
    int64_t offset = 0;
    for (size_t rows = random.Below(60); rows > 0; --rows) {
      time += static_cast<int64_t>(random.Below(3));
      const auto gap = static_cast<int64_t>(random.Chance(0.1) ? random.Below(4) : 0);
      offset += gap;
      if (random.Chance(0.1)) {
        fake.Add("no JSON", gap);
        rejected.push_back({source, partition, offset++});
        continue;
      }
      const auto value = static_cast<int64_t>(random.Below(1000));
      fake.Add(FakeRow(time, value), gap);
      expected.push_back(
          {time * kMillisecond, sources[source].role, sources[source].name, partition, offset++, value});
    }
    if (random.Chance(0.3)) {
      offset += 2;
      fake.EndAt(offset);
    }
    FeedOptions options;
    options.block_rows = 1 + random.Below(9);
    if (until_end) options.until = offset;
    feeds.push_back(
        std::make_unique<Feed>(sources[source], source, partition, fake, 0, clock, pool, options));
    feed_pointers.push_back(feeds.back().get());
    ends.push_back(offset);
  }

  std::vector<PlannedSource> sources;
  ManualClock clock{kDay};
  Pool pool;
  std::vector<std::unique_ptr<FakePartition>> partitions;
  std::vector<std::unique_ptr<Feed>> feeds;
  std::vector<Feed*> feed_pointers;
  std::vector<int64_t> ends;
  std::vector<Row> expected;
  std::vector<std::tuple<uint32_t, int32_t, int64_t>> rejected;
};

void AppendRows(const Merge& merge, const SourceBatch& batch, std::vector<Row>& rows) {
  for (size_t i = 0; i < batch.rows.rows(); ++i) {
    const Feed& feed = *merge.feeds()[batch.from[i].feed];
    EXPECT_EQ(feed.source_index(), batch.source);
    EXPECT_EQ(batch.rows.ordinals()[i], i);
    rows.push_back({batch.rows.times()[i], feed.source().role, feed.source().name, feed.partition(),
                    batch.from[i].offset, batch.rows.column(1).values<int64_t>()[i]});
    EXPECT_EQ(batch.rows.column(0).values<int64_t>()[i], batch.rows.times()[i]);
  }
}

void RunScene(uint64_t seed, bool until_end) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  Scene scene(random, until_end);
  Merge merge(scene.feed_pointers, scene.pool, scene.sources);
  std::vector<Row> rows;
  std::vector<std::tuple<uint32_t, int32_t, int64_t>> rejected;
  const Feed::RejectSink rejects = [&](const Feed& feed, const Reject& reject) {
    EXPECT_GT(feed.position(), reject.offset);
    EXPECT_EQ(reject.reason, "not_json");
    rejected.emplace_back(feed.source_index(), feed.partition(), reject.offset);
    return Status();
  };
  RandomGate gate(random, 0.1);
  SourceBatch batch;
  for (int tries = 0; tries < 20000; ++tries) {
    const size_t most = 1 + random.Below(random.Chance(0.5) ? 3 : 100);
    ASSERT_TRUE(merge.Next(most, gate, rejects, batch).ok());
    EXPECT_LE(batch.rows.rows(), most);
    AppendRows(merge, batch, rows);
    if (batch.rows.empty() && rows.size() == scene.expected.size() &&
        std::all_of(scene.partitions.begin(), scene.partitions.end(),
                    [](const auto& p) { return p->delivered_all(); })) {
      break;
    }
    FakePartition& some = *scene.partitions[random.Below(scene.partitions.size())];
    if (random.Chance(0.5)) some.Deliver(1 + random.Below(20));
  }
  EXPECT_EQ(rows, scene.expected);
  ASSERT_TRUE(merge.Next(100, gate, rejects, batch).ok());
  std::sort(rejected.begin(), rejected.end());
  std::sort(scene.rejected.begin(), scene.rejected.end());
  EXPECT_EQ(rejected, scene.rejected);
  for (size_t i = 0; i < scene.feeds.size(); ++i)
    EXPECT_EQ(scene.feeds[i]->position(), scene.ends[i]);
  if (until_end) {
    EXPECT_TRUE(merge.finished());
  }
}

TEST(Merge, EqualsAStableSortHoweverRowsComeToHand) {
  for (uint64_t seed = 1; seed <= 300; ++seed)
    RunScene(seed, false);
}

TEST(Merge, EqualsAStableSortUntilTheEnd) {
  for (uint64_t seed = 1; seed <= 300; ++seed)
    RunScene(seed, true);
}

// --- one by one

class OpenGate final : public Merge::Gate {
 public:
  bool Admit(const Feed&, Time) override { return true; }
};

TEST(Merge, WaitsForAPartitionWithKnownLag) {
  const std::vector<PlannedSource> sources = {FakeSource("a", Role::kEvent), FakeSource("b", Role::kEvent)};
  ManualClock clock(kDay);
  Pool pool;
  FakePartition first;
  FakePartition second;
  first.Add(FakeRow(10, 1));
  second.Add(FakeRow(5, 2));
  first.DeliverAll();
  Feed a(sources[0], 0, 0, first, 0, clock, pool, {});
  Feed b(sources[1], 1, 0, second, 0, clock, pool, {});
  Merge merge({&a, &b}, pool, sources);
  OpenGate gate;
  SourceBatch batch;
  const Feed::RejectSink none = [](const Feed&, const Reject&) { return Status(); };
  ASSERT_TRUE(merge.Next(10, gate, none, batch).ok());
  EXPECT_TRUE(batch.rows.empty());
  second.DeliverAll();
  ASSERT_TRUE(merge.Next(10, gate, none, batch).ok());
  EXPECT_EQ(batch.source, 1U);
  ASSERT_TRUE(merge.Next(10, gate, none, batch).ok());
  EXPECT_EQ(batch.source, 0U);
  EXPECT_EQ(batch.rows.rows(), 1U);
}

// To ask costs a look into a queue or at a map under a lock: once for a batch and for a block, not for a row.
TEST(Merge, AsksSilentPartitionsSeldom) {
  const std::vector<PlannedSource> sources = {FakeSource("a", Role::kEvent), FakeSource("b", Role::kEvent)};
  ManualClock clock(kDay);
  Pool pool;
  FakePartition busy;
  constexpr int kRows = 1000;
  for (int i = 0; i < kRows; ++i)
    busy.Add(FakeRow(i, i));
  busy.DeliverAll();
  FakePartition silent;
  FeedOptions options;
  options.block_rows = 100;
  Feed a(sources[0], 0, 0, busy, 0, clock, pool, options);
  Feed b(sources[1], 1, 0, silent, 0, clock, pool, options);
  Merge merge({&a, &b}, pool, sources);
  OpenGate gate;
  SourceBatch batch;
  const Feed::RejectSink none = [](const Feed&, const Reject&) { return Status(); };
  ASSERT_TRUE(merge.Next(kRows, gate, none, batch).ok());
  EXPECT_EQ(batch.rows.rows(), static_cast<size_t>(kRows));
  EXPECT_EQ(silent.asked(), 11U);
  ASSERT_TRUE(merge.Next(kRows, gate, none, batch).ok());
  EXPECT_TRUE(batch.rows.empty());
  EXPECT_EQ(silent.asked(), 12U);
}

TEST(Merge, ABatchHoldsNoMoreBytesThanItMay) {
  const std::vector<PlannedSource> sources = {FakeSource("a", Role::kEvent)};
  ManualClock clock(kDay);
  Pool pool;
  FakePartition partition;
  constexpr int kRows = 1000;
  for (int i = 0; i < kRows; ++i)
    partition.Add(FakeRow(i, 1'000'000 + i));
  partition.DeliverAll();
  const size_t bytes_of_a_row = FakeRow(0, 1'000'000).size();
  FeedOptions options;
  options.block_bytes = 10 * bytes_of_a_row;
  Feed feed(sources[0], 0, 0, partition, 0, clock, pool, options);
  Merge merge({&feed}, pool, sources, static_cast<int64_t>(35 * bytes_of_a_row));
  OpenGate gate;
  SourceBatch batch;
  const Feed::RejectSink none = [](const Feed&, const Reject&) { return Status(); };
  size_t rows = 0;
  while (merge.Next(kRows, gate, none, batch).ok() && !batch.rows.empty()) {
    EXPECT_LE(batch.rows.rows(), 40U);
    rows += batch.rows.rows();
  }
  EXPECT_EQ(rows, static_cast<size_t>(kRows));
}

TEST(Merge, ARowThatWasThereBeforeAnotherCameGoesFirst) {
  const std::vector<PlannedSource> sources = {FakeSource("a", Role::kEvent), FakeSource("z", Role::kTable)};
  ManualClock clock(kDay);
  Pool pool;
  FakePartition events;
  FakePartition table;
  events.Add(FakeRow(1, 1));
  events.Add(FakeRow(2, 2));
  events.DeliverAll();
  // A table's row and then an event of the same time come while the batch is being put together.
  events.OnAsked([&] {
    if (events.asked() != 3) return;
    table.Add(FakeRow(3, 10));
    table.DeliverAll();
    events.Add(FakeRow(3, 3));
    events.DeliverAll();
  });
  FeedOptions options;
  options.block_rows = 2;
  Feed a(sources[0], 0, 0, events, 0, clock, pool, options);
  Feed z(sources[1], 1, 0, table, 0, clock, pool, options);
  Merge merge({&a, &z}, pool, sources);
  OpenGate gate;
  SourceBatch batch;
  const Feed::RejectSink none = [](const Feed&, const Reject&) { return Status(); };
  std::vector<std::pair<uint32_t, size_t>> batches;  // source, rows
  while (merge.Next(100, gate, none, batch).ok() && !batch.rows.empty())
    batches.emplace_back(batch.source, batch.rows.rows());
  EXPECT_EQ(batches, (std::vector<std::pair<uint32_t, size_t>>{{0, 2}, {1, 1}, {0, 1}}));
}

TEST(Feed, RefusesWhatIsNoRowAndGoesOn) {
  const PlannedSource source = FakeSource("a", Role::kEvent);
  ManualClock clock(kDay);
  Pool pool;
  FakePartition partition;
  partition.AddTombstone();
  partition.Add("[1, 2]");
  partition.Add(R"({"v": 1})");
  partition.Add(R"({"t": 1, "v": "x"})");
  partition.Add(FakeRow(3 * kDay / kMillisecond, 0));
  partition.Add(FakeRow(2 * kDay / kMillisecond, 1));
  partition.Add(FakeRow(1, 2));
  partition.DeliverAll();
  FeedOptions options;
  options.max_future = kDay;
  options.poison = {6};
  Feed feed(source, 0, 0, partition, 0, clock, pool, options);
  std::vector<std::string> reasons;
  const Feed::RejectSink sink = [&](const Feed&, const Reject& reject) {
    reasons.push_back(std::to_string(reject.offset) + " " + std::string(reject.reason));
    EXPECT_EQ(reject.timestamp, 7);
    return Status();
  };
  size_t left = SIZE_MAX;
  ASSERT_TRUE(feed.Fill(sink, left).ok());
  ASSERT_TRUE(feed.has_row());
  EXPECT_EQ(feed.head_offset(), 5);
  EXPECT_EQ(feed.position(), 5);
  EXPECT_EQ(feed.block().rows(), 1U);
  EXPECT_EQ(reasons.size(), 5U);
  ASSERT_TRUE(feed.Take(sink, left).ok());
  EXPECT_EQ(feed.position(), 7);
  EXPECT_EQ(reasons, (std::vector<std::string>{"0 no_value", "1 not_json", "2 missing_field", "3 wrong_type",
                                               "4 far_in_the_future", "6 keeps_aborting"}));
}

TEST(Feed, AMaxFutureBeyondTheEndOfTimeRefusesNothing) {
  const PlannedSource source = FakeSource("a", Role::kEvent);
  ManualClock clock(kDay);
  Pool pool;
  FakePartition partition;
  partition.Add(FakeRow(3 * kDay / kMillisecond, 0));
  partition.DeliverAll();
  FeedOptions options;
  options.max_future = kMaxTime - 1;
  Feed feed(source, 0, 0, partition, 0, clock, pool, options);
  size_t left = SIZE_MAX;
  ASSERT_TRUE(
      feed.Fill([](const Feed&, const Reject& reject) { return Internal(std::string(reject.reason)); }, left)
          .ok());
  EXPECT_TRUE(feed.has_row());
}

}  // namespace
}  // namespace freshet
