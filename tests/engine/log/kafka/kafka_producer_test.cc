// What only a broker does to a producer.
#include <librdkafka/rdkafka.h>

#include "engine/log/kafka/kafka_client.h"
#include "engine/log/kafka/kafka_error.h"
#include "engine/log/kafka/kafka_log.h"
#include "tests/engine/log/kafka/kafka_fixture.h"
#include "tests/harness/kafka_broker.h"

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
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_INVALID_RECORD), Code::kInvalid);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT), Code::kAborted);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), Code::kAborted);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), Code::kInvalid);
  EXPECT_EQ(InTransaction(RD_KAFKA_RESP_ERR_PRODUCER_FENCED), Code::kFenced);
  EXPECT_NE(RemedyFor(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).find("grant it"), std::string::npos);
  EXPECT_NE(RemedyFor(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE).find("max.message.bytes"), std::string::npos);
}

// Everything is allowed on the topic to anybody, but for one thing.
void Deny(const KafkaOptions& options, const std::string& topic, rd_kafka_AclOperation_t operation) {
  const auto client = Must(KafkaClient::Open(KafkaClient::Kind::kConsumer, "acls", options, {}, {}, {}));
  const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(
      rd_kafka_queue_new(client->handle()), rd_kafka_queue_destroy);
  char error[256] = {};
  const auto rule = [&](rd_kafka_AclOperation_t what, rd_kafka_AclPermissionType_t permission) {
    return rd_kafka_AclBinding_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                                   "User:*", "*", what, permission, error, sizeof(error));
  };
  rd_kafka_AclBinding_t* rules[] = {
      rule(RD_KAFKA_ACL_OPERATION_ALL, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW),
      rule(operation, RD_KAFKA_ACL_PERMISSION_TYPE_DENY),
  };
  rd_kafka_CreateAcls(client->handle(), rules, std::size(rules), nullptr, queue.get());
  rd_kafka_event_t* answer = rd_kafka_queue_poll(queue.get(), 30'000);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(rd_kafka_event_error(answer), RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_event_error_string(answer);
  rd_kafka_event_destroy(answer);
  rd_kafka_AclBinding_destroy_array(rules, std::size(rules));
}

// The broker says so when the partition is to become part of the transaction; librdkafka then takes no more
// records, and says why only where it is asked.
TEST(KafkaProducer, WithoutTheRightToWriteIsRefusedForGoodAndToldWhy) {
  const auto broker = Must(KafkaBroker::Create(
      {.properties = {"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                      "allow.everyone.if.no.acl.found=true"},
       .proxy_port = 0}));
  KafkaOptions options;
  options.brokers = broker->bootstrap();
  const std::unique_ptr<Log> log = Must(OpenKafkaLog(options));
  Must(log->Create("guarded", {}));
  Deny(options, "guarded", RD_KAFKA_ACL_OPERATION_WRITE);
  ProducerOptions producing;
  producing.transactional_id = "producer";
  const std::unique_ptr<Producer> producer = Must(log->OpenProducer(producing));
  Must(producer->Init());
  Status sent;
  // Until the rule is known to the broker, transactions go through.
  for (const Deadline deadline(30 * kSecond); sent.ok() && !deadline.passed();) {
    Must(producer->Begin());
    for (int i = 0; sent.ok() && i < 100'000; ++i)
      sent = producer->Send(MakeRecord("guarded", 0, "k", "v"));
    Must(producer->Abort());
  }
  EXPECT_EQ(sent.code(), Code::kInvalid) << sent.message();
  EXPECT_NE(sent.message().find("grant it to this user"), std::string::npos) << sent.message();
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
