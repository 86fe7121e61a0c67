// Brokers that die, stand still and come back; producers and members that are replaced. Whatever happens,
// every row is copied once.
#include <chrono>
#include <future>

#include "engine/log/kafka/kafka_client.h"
#include "tests/engine/log/kafka/kafka_lane.h"

namespace freshet {
namespace {

struct Copying {
  explicit Copying(int32_t partitions, int64_t rows_each) : session(fixture) {
    job.from = session.Topic("from", partitions);
    job.to = session.Topic("to", partitions);
    job.placement = session.Topic("placement", partitions);
    job.group = fixture.Name("group");
    job.id = fixture.Name("producer");
    job.partitions = partitions;
    job.rows_each = rows_each;
    FillSource(session, job);
  }
  // The lane's own thread; an error in it ends the test when the future is asked.
  std::future<void> Start(CopyLane& lane) const {
    return std::async(std::launch::async, [&lane] { lane.Run(); });
  }
  static bool Over(const std::future<void>& run) {
    return run.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  KafkaFixture fixture;
  LogSession session;
  CopyJob job;
};

TEST(KafkaFaults, ABrokerKilledInTheMiddleLosesAndRepeatsNothing) {
  Copying copying(2, 1'500);
  CopyLane lane(copying.fixture, copying.job);
  std::future<void> run = copying.Start(lane);
  for (const int64_t mark : {400, 2'000}) {
    Await([&] { return Copying::Over(run) || (lane.committed >= mark && lane.committing); }, "no progress");
    ASSERT_FALSE(Copying::Over(run)) << "the kill fell after the end";
    SharedBroker().Kill();
    Must(SharedBroker().Start());
  }
  run.get();
  ExpectCopied(copying.session, copying.job);
}

TEST(KafkaFaults, ACommitOutlastsAShortStandstill) {
  Copying copying(1, 1'000);
  CopyLane lane(copying.fixture, copying.job);
  std::future<void> run = copying.Start(lane);
  for (const int64_t mark : {200, 600}) {
    Await([&] { return Copying::Over(run) || (lane.committed >= mark && lane.committing); }, "no progress");
    ASSERT_FALSE(Copying::Over(run));
    SharedBroker().Pause();
    const Duration paused = SteadyNow();
    Await([&] { return SteadyNow() - paused > 300 * kMillisecond; }, "time stands still");
    SharedBroker().Resume();
  }
  run.get();
  EXPECT_EQ(lane.failures, 0);
  ExpectCopied(copying.session, copying.job);
}

TEST(KafkaFaults, ALongStandstillLeavesTheCommitInDoubtAndIsRecoveredFrom) {
  Copying copying(1, 1'000);
  copying.job.transaction_timeout = 2 * kSecond;
  CopyLane lane(copying.fixture, copying.job);
  std::future<void> run = copying.Start(lane);
  Await([&] { return Copying::Over(run) || (lane.committed >= 300 && lane.committing); }, "no progress");
  ASSERT_FALSE(Copying::Over(run));
  SharedBroker().Pause();
  Await([&] { return Copying::Over(run) || lane.failures > 0; }, "the commit never gave up");
  SharedBroker().Resume();
  run.get();
  EXPECT_GT(lane.failures, 0);
  ExpectCopied(copying.session, copying.job);
}

TEST(KafkaFaults, ATransactionThatTimedOutIsGone) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  ProducerOptions options;
  options.transactional_id = fixture.Name("producer");
  options.transaction_timeout = kSecond;
  std::unique_ptr<Producer> zombie = Must(session.log().OpenProducer(options));
  Must(zombie->Init());
  Must(zombie->Begin());
  SendAll(*zombie, topic, 0, {"late"});
  Await([&] { return session.Range(topic, 0, Isolation::kUncommitted).end > 0; }, "the record is not there");
  // The broker ends it, and the last stable offset moves past it.
  Await([&] { return session.Range(topic, 0, Isolation::kCommitted).end > 0; }, "the transaction stays open");
  const Status late = zombie->Commit(std::vector<PartitionOffset>{{{topic, 0}, 1}}, *member);
  EXPECT_TRUE(late.code() == Code::kFenced || late.code() == Code::kAborted || late.code() == Code::kInDoubt)
      << late.message();
  zombie.reset();
  std::unique_ptr<Producer> next = session.Transactional(options.transactional_id);
  Must(next->Begin());
  SendAll(*next, topic, 0, {"next"});
  EXPECT_OK(next->Commit(std::vector<PartitionOffset>{{{topic, 0}, 2}}, *member));
  EXPECT_EQ(ValuesOf(session.ReadAll(topic)), (std::vector<std::string>{"next"}));
  EXPECT_EQ(Must(member->Committed(std::vector<PartitionId>{{topic, 0}})).front(), 2);
}

TEST(KafkaFaults, TwoMembersHandOverExactly) {
  Copying copying(4, 2'500);
  CopyJob other = copying.job;
  other.id = copying.fixture.Name("producer");
  CopyLane first(copying.fixture, copying.job);
  CopyLane second(copying.fixture, other);
  std::future<void> first_run = copying.Start(first);
  Await([&] { return Copying::Over(first_run) || first.committed >= 1'000; }, "no progress");
  std::future<void> second_run = copying.Start(second);
  Await(
      [&] {
        return Copying::Over(first_run) || (first.held == 2 && second.held == 2 && second.committed > 0);
      },
      "the work is not shared");
  ASSERT_FALSE(Copying::Over(first_run)) << "it ended before the second member came";
  first.Stop();
  first_run.get();
  second_run.get();
  EXPECT_LT(first.committed, 10'000);
  EXPECT_EQ(first.committed + second.committed, 10'000);
  ExpectCopied(copying.session, copying.job);
}

TEST(KafkaFaults, ClosingEndsInTimeThoughNobodyAnswers) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  Must(member->Assign({topic, 0}, 0));
  SharedBroker().Pause();
  const Duration start = SteadyNow();
  const Status closed = member->Close(kSecond);
  const Duration took = SteadyNow() - start;
  SharedBroker().Resume();
  EXPECT_LT(took, 10 * kSecond);
  EXPECT_TRUE(closed.ok() || closed.code() == Code::kUnreachable) << closed.message();
}

}  // namespace
}  // namespace freshet
