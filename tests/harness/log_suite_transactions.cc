// Transactions: together or never, fenced by their successors, with positions.
#include <algorithm>

#include "tests/harness/log_suite.h"

namespace freshet {

namespace {

using Positions = std::vector<PartitionOffset>;
using Found = std::vector<std::optional<int64_t>>;
using Values = std::vector<std::string>;

// A topic, a member of a group, and a producer: what most cases begin with.
struct Stage {
  explicit Stage(LogFixture& fixture, int32_t partitions = 1)
      : session(fixture),
        topic(session.Topic("topic", partitions)),
        placement(session.Topic("placement")),
        group(fixture.Name("group")),
        id(fixture.Name("producer")),
        member(session.Member(group, placement)),
        producer(session.Transactional(id)) {}
  LogSession session;
  std::string topic;
  std::string placement;
  std::string group;
  std::string id;
  std::unique_ptr<Consumer> member;
  std::unique_ptr<Producer> producer;

  Positions At(int64_t offset) const { return {{{topic, 0}, offset}}; }
  std::optional<int64_t> Committed() const {
    return Must(member->Committed(std::vector<PartitionId>{{topic, 0}})).front();
  }
};

void TransactionsAppearWholeAcrossTopicsAndPositions(LogFixture& fixture) {
  Stage stage(fixture, 2);
  const std::string second = stage.session.Topic("second");
  std::unique_ptr<Consumer> consumer = stage.session.Reader();
  PartitionReader* reader = Must(consumer->Assign({stage.topic, 0}, 0));

  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"a", "b"});
  SendAll(*stage.producer, stage.topic, 1, {"c"});
  SendAll(*stage.producer, second, 0, {"d"});
  EXPECT_TRUE(stage.session.ReadToEnd(*consumer, *reader).empty()) << "an open transaction counts as the end";
  EXPECT_FALSE(reader->has_known_lag());
  PartitionReader* other = Must(consumer->Assign({second, 0}, 0));
  EXPECT_TRUE(stage.session.ReadToEnd(*consumer, *other).empty());
  EXPECT_EQ(stage.Committed(), std::nullopt);

  Must(stage.producer->Commit(Positions{{{stage.topic, 0}, 5}, {{second, 0}, 6}}, *stage.member));
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(stage.topic, 0)), (Values{"a", "b"}));
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(stage.topic, 1)), (Values{"c"}));
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(second)), (Values{"d"}));
  const std::vector<PartitionId> ids = {{second, 0}, {stage.topic, 1}, {stage.topic, 0}};
  EXPECT_EQ(Must(stage.member->Committed(ids)), (Found{6, std::nullopt, 5}));
  Values read;
  EXPECT_TRUE(stage.session.PollUntil(*consumer, [&] {
    while (const RecordView* record = Must(reader->Next()))
      read.emplace_back(*record->value);
    return read.size() == 2;
  }));
  EXPECT_EQ(read, (Values{"a", "b"}));
}

void AbortedRecordsAreNeverSeen(LogFixture& fixture) {
  Stage stage(fixture);
  Values expected;
  for (int round = 0; round < 6; ++round) {
    const std::string value = std::to_string(round);
    Must(stage.producer->Begin());
    SendAll(*stage.producer, stage.topic, 0, {value, value + "b"});
    if (round % 3 == 1) {
      Must(stage.producer->Abort());
      continue;
    }
    Must(stage.producer->Commit(stage.At(round), *stage.member));
    expected.insert(expected.end(), {value, value + "b"});
  }
  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"left open"});
  stage.producer.reset();
  stage.producer = stage.session.Transactional(stage.id);  // ends what was left open
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(stage.topic)), expected);
  EXPECT_EQ(stage.Committed(), 5);
}

void PositionsBelongToTheirGroup(LogFixture& fixture) {
  Stage stage(fixture);
  const std::string other_group = fixture.Name("other_group");
  std::unique_ptr<Consumer> other = stage.session.Member(other_group, stage.session.Topic("other_placement"));
  const std::vector<PartitionId> ids = {{stage.topic, 0}};
  for (const int64_t offset : {7, 3, 12}) {
    Must(stage.producer->Begin());
    Must(stage.producer->Commit(stage.At(offset), *stage.member));
    EXPECT_EQ(stage.Committed(), offset);
    EXPECT_EQ(Must(other->Committed(ids)), (Found{std::nullopt}));
  }
  Must(stage.producer->Begin());
  Must(stage.producer->Commit(stage.At(1), *other));
  EXPECT_EQ(stage.Committed(), 12);
  EXPECT_EQ(Must(other->Committed(ids)), (Found{1}));
  ConsumerOptions options;
  options.group = stage.group;
  EXPECT_EQ(Must(stage.session.GroupConsumer(options)->Committed(ids)), (Found{12})) << "no need to join";
  EXPECT_FALSE(stage.session.Reader()->Committed(ids).ok()) << "no group";
}

void RangeKnowsBothIsolations(LogFixture& fixture) {
  Stage stage(fixture);
  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"a"});
  Must(stage.producer->Commit(stage.At(1), *stage.member));
  const OffsetRange before = stage.session.Settled(stage.topic);
  EXPECT_EQ(before.begin, 0);
  EXPECT_GE(before.end, 1);

  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"b", "c"});
  const OffsetRange committed = stage.session.Range(stage.topic, 0, Isolation::kCommitted);
  const OffsetRange uncommitted = stage.session.Range(stage.topic, 0, Isolation::kUncommitted);
  EXPECT_EQ(committed.end, before.end) << "an open transaction pins the last stable offset";
  EXPECT_GE(uncommitted.end, committed.end);
  Must(stage.producer->Commit(stage.At(2), *stage.member));
  const OffsetRange after = stage.session.Settled(stage.topic);
  EXPECT_GE(after.end, before.end + 2);
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(stage.topic, 0, -1, Isolation::kUncommitted)),
            (Values{"a", "b", "c"}));
}

void CommitNeedsAPosition(LogFixture& fixture) {
  Stage stage(fixture);
  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"never"});
  EXPECT_FALSE(stage.producer->Commit({}, *stage.member).ok());
  Must(stage.producer->Abort());
  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"yes"});
  Must(stage.producer->Commit(stage.At(1), *stage.member));
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(stage.topic)), (Values{"yes"}));
}

void CommitNeedsAMember(LogFixture& fixture) {
  Stage stage(fixture);
  ConsumerOptions options;
  options.group = stage.group;
  std::unique_ptr<Consumer> never_joined = stage.session.GroupConsumer(options);
  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"never"});
  EXPECT_FALSE(stage.producer->Commit(stage.At(1), *never_joined).ok());
  Must(stage.producer->Abort());
  EXPECT_TRUE(stage.session.ReadAll(stage.topic).empty());
  EXPECT_EQ(stage.Committed(), std::nullopt);
}

void EmptyTransactionsCommitPositions(LogFixture& fixture) {
  Stage stage(fixture);
  Must(stage.producer->Begin());
  Must(stage.producer->Abort());
  Must(stage.producer->Begin());
  Must(stage.producer->Commit(stage.At(44), *stage.member));
  EXPECT_EQ(stage.Committed(), 44);
  EXPECT_TRUE(stage.session.ReadAll(stage.topic).empty());
}

void SuccessorsFenceOlderProducers(LogFixture& fixture) {
  Stage stage(fixture);
  Must(stage.producer->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"old"});
  std::unique_ptr<Producer> successor = stage.session.Transactional(stage.id);
  EXPECT_EQ(stage.producer->Commit(stage.At(1), *stage.member).code(), Code::kFenced);
  EXPECT_EQ(stage.Committed(), std::nullopt);

  Must(successor->Begin());
  SendAll(*successor, stage.topic, 0, {"new"});
  Must(successor->Commit(stage.At(2), *stage.member));
  Status late = stage.producer->Begin();
  if (late.ok()) late = stage.producer->Send(MakeRecord(stage.topic, 0, "k", "late"));
  if (late.ok()) late = stage.producer->Commit(stage.At(3), *stage.member);
  EXPECT_EQ(late.code(), Code::kFenced);
  stage.producer.reset();
  EXPECT_EQ(ValuesOf(stage.session.ReadAll(stage.topic)), (Values{"new"}));
  EXPECT_EQ(stage.Committed(), 2);
  Must(successor->Begin());
  Must(successor->Commit(stage.At(4), *stage.member));
  EXPECT_EQ(stage.Committed(), 4);
}

void ProducersOfOtherIdsDoNotDisturb(LogFixture& fixture) {
  Stage stage(fixture);
  std::unique_ptr<Producer> other = stage.session.Transactional(fixture.Name("other_producer"));
  std::unique_ptr<Producer> plain = stage.session.Plain();
  Must(stage.producer->Begin());
  Must(other->Begin());
  SendAll(*stage.producer, stage.topic, 0, {"one"});
  SendAll(*other, stage.topic, 0, {"two"});
  SendAll(*plain, stage.topic, 0, {"three"});
  Must(plain->Flush(fixture.patience()));
  Must(other->Commit(stage.At(2), *stage.member));
  Must(stage.producer->Abort());
  EXPECT_EQ(stage.Committed(), 2);
  Values read = ValuesOf(stage.session.ReadAll(stage.topic));
  std::sort(read.begin(), read.end());  // which came first is the log's to say
  EXPECT_EQ(read, (Values{"three", "two"}));
}

void LargeTransactionsKeepTheirOrder(LogFixture& fixture) {
  Stage stage(fixture, 3);
  constexpr int kRecords = 30'000;
  const std::string filler(100, 'f');
  Must(stage.producer->Begin());
  for (int i = 0; i < kRecords; ++i)
    Must(stage.producer->Send(MakeRecord(stage.topic, i % 3, std::to_string(i), filler)));
  Must(stage.producer->Commit(stage.At(1), *stage.member));
  for (int32_t partition = 0; partition < 3; ++partition) {
    const std::vector<OwnedRecord> read = stage.session.ReadAll(stage.topic, partition);
    ASSERT_EQ(read.size(), static_cast<size_t>(kRecords / 3));
    for (size_t i = 0; i < read.size(); ++i)
      ASSERT_EQ(read[i].key, std::to_string(3 * i + static_cast<size_t>(partition)));
  }
}

}  // namespace

std::vector<LogCase> LogTransactionCases() {
  return {
      {"TransactionsAppearWholeAcrossTopicsAndPositions", TransactionsAppearWholeAcrossTopicsAndPositions},
      {"AbortedRecordsAreNeverSeen", AbortedRecordsAreNeverSeen},
      {"PositionsBelongToTheirGroup", PositionsBelongToTheirGroup},
      {"RangeKnowsBothIsolations", RangeKnowsBothIsolations},
      {"CommitNeedsAPosition", CommitNeedsAPosition},
      {"CommitNeedsAMember", CommitNeedsAMember},
      {"EmptyTransactionsCommitPositions", EmptyTransactionsCommitPositions},
      {"SuccessorsFenceOlderProducers", SuccessorsFenceOlderProducers},
      {"ProducersOfOtherIdsDoNotDisturb", ProducersOfOtherIdsDoNotDisturb},
      {"LargeTransactionsKeepTheirOrder", LargeTransactionsKeepTheirOrder},
  };
}

}  // namespace freshet
