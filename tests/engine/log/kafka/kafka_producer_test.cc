// What only a broker does to a producer.
#include <librdkafka/rdkafka.h>

#include "engine/log/kafka/kafka_client.h"
#include "engine/log/kafka/kafka_error.h"
#include "tests/engine/log/kafka/kafka_fixture.h"

namespace freshet {
namespace {

TEST(KafkaProducer, FitsBatchesToTheTopicsLimitAndNamesIt) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  AlterTopic(fixture.Options(), topic, {{"max.message.bytes", "20000"}});
  EXPECT_LT(Must(session.log().Find(topic))->max_record_bytes, 20'000);
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  std::unique_ptr<Producer> producer = session.Transactional(fixture.Name("producer"));
  Must(producer->Begin());
  SendAll(*producer, topic, 0, std::vector<std::string>(200, std::string(3'000, 'x')));
  EXPECT_OK(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 1}}, *member));
  Must(producer->Begin());
  const Status large = producer->Send(MakeRecord(topic, 0, "k", std::string(30'000, 'x')));
  EXPECT_EQ(large.code(), Code::kUnwritable);
  EXPECT_NE(large.message().find("max.message.bytes"), std::string::npos) << large.message();
  EXPECT_EQ(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 2}}, *member).code(),
            Code::kUnwritable);
  EXPECT_OK(producer->Abort());
  EXPECT_EQ(session.ReadAll(topic).size(), 200U);
}

// The limit was lowered after it was asked for: the broker's refusal must say as much.
TEST(KafkaProducer, TellsWhatTheBrokerRefused) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  std::unique_ptr<Producer> producer = session.Transactional(fixture.Name("producer"));
  Must(session.log().Find(topic));
  AlterTopic(fixture.Options(), topic, {{"max.message.bytes", "5000"}});
  Must(producer->Begin());
  Must(producer->Send(MakeRecord(topic, 0, "k", std::string(30'000, 'x'))));
  const Status refused = producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 1}}, *member);
  EXPECT_EQ(refused.code(), Code::kUnwritable);
  EXPECT_NE(refused.message().find(topic), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find("Message size too large"), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find("max.message.bytes"), std::string::npos) << refused.message();
  EXPECT_OK(producer->Abort());
  Must(producer->Begin());
  SendAll(*producer, topic, 0, {"small"});
  EXPECT_OK(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 1}}, *member));
  EXPECT_EQ(ValuesOf(session.ReadAll(topic)), (std::vector<std::string>{"small"}));
}

// Whoever tells a record's fault from the environment's blames no record for the latter, and does not repeat
// what a user's rights do not allow.
TEST(KafkaErrors, TellWhoseFaultAFailedTransactionIs) {
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), Code::kUnwritable);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP), Code::kUnwritable);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT), Code::kAborted);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), Code::kAborted);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), Code::kInvalid);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_PRODUCER_FENCED), Code::kFenced);
  EXPECT_NE(RemedyFor(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).find("grant it"), std::string::npos);
  EXPECT_NE(RemedyFor(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE).find("max.message.bytes"), std::string::npos);
}

// Both ways out of a transaction whose partitions the broker has not added yet: librdkafka 2.0.2 ended the
// process, or called the producer's state invalid.
TEST(KafkaProducer, LeavesTransactionsThatHaveHardlyBegun) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  const std::string id = fixture.Name("producer");
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  std::vector<std::string> expected;
  for (int round = 0; round < 12; ++round) {
    std::unique_ptr<Producer> producer = session.Transactional(id);
    Must(producer->Begin());
    SendAll(*producer, topic, 0, {"aborted"});
    EXPECT_OK(producer->Abort());
    Must(producer->Begin());
    expected.push_back(std::to_string(round));
    SendAll(*producer, topic, 0, {expected.back()});
    EXPECT_OK(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, round}}, *member));
    Must(producer->Begin());  // while the broker still writes the last one's markers
    SendAll(*producer, topic, 0, {"left open"});
  }
  const std::unique_ptr<Producer> last = session.Transactional(id);
  EXPECT_EQ(ValuesOf(session.ReadAll(topic)), expected);
}

TEST(KafkaProducer, SaysThatItsTransactionsWouldBeTooLong) {
  KafkaFixture fixture;
  ProducerOptions options;
  options.transactional_id = fixture.Name("producer");
  options.transaction_timeout = 20 * kMinute;  // a broker's default for the longest is 15
  Result<std::unique_ptr<Producer>> producer = fixture.log().OpenProducer(options);
  ASSERT_TRUE(producer.ok()) << producer.status().message();
  const Status refused = (*producer)->Init();
  EXPECT_EQ(refused.code(), Code::kInvalid);
  EXPECT_NE(refused.message().find("set a shorter `commit.interval`"), std::string::npos)
      << refused.message();
}

}  // namespace
}  // namespace freshet
