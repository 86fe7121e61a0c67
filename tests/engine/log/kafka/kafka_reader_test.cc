// What only a broker does to a reader.
#include <librdkafka/rdkafka.h>

#include "engine/log/kafka/kafka_client.h"
#include "tests/engine/log/kafka/kafka_fixture.h"

namespace freshet {
namespace {

TEST(KafkaReader, AnOpenTransactionIsTheEndEvenWithRecordsBehindIt) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  std::unique_ptr<Producer> plain = session.Plain();
  SendAll(*plain, topic, 0, {"before"});
  Must(plain->Flush(fixture.patience()));
  std::unique_ptr<Producer> open = session.Transactional(fixture.Name("producer"));
  Must(open->Begin());
  SendAll(*open, topic, 0, {"inside"});
  // The record is at the broker once an uncommitted reader sees it.
  std::unique_ptr<Consumer> uncommitted = session.Reader(Isolation::kUncommitted);
  PartitionReader* sees_all = Must(uncommitted->Assign({topic, 0}, 0));
  int seen = 0;
  ASSERT_TRUE(session.PollUntil(*uncommitted, [&] {
    while (Must(sees_all->Next()) != nullptr)
      ++seen;
    return seen == 2;
  }));
  SendAll(*plain, topic, 0, {"behind"});
  Must(plain->Flush(fixture.patience()));

  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  EXPECT_EQ(ValuesOf(session.ReadToEnd(*consumer, *reader)), (std::vector<std::string>{"before"}));
  for (int i = 0; i < 20; ++i) {
    Must(consumer->Poll(10 * kMillisecond));
    EXPECT_EQ(Must(reader->Next()), nullptr);
    EXPECT_TRUE(reader->at_end());
    EXPECT_FALSE(reader->has_known_lag());
    EXPECT_EQ(reader->end_seen(), 1);
    EXPECT_EQ(reader->position(), 1);
  }
  Must(open->Commit(std::vector<PartitionOffset>{{{topic, 0}, 1}}, *member));
  std::vector<std::string> read;
  EXPECT_TRUE(session.PollUntil(*consumer, [&] {
    while (const RecordView* record = Must(reader->Next()))
      read.emplace_back(*record->value);
    return read.size() == 2;
  }));
  EXPECT_EQ(read, (std::vector<std::string>{"inside", "behind"}));
}

// librdkafka 2.0.2 looks at a full queue again only after a second; sixty of them would take a minute.
TEST(KafkaReader, AFullPrefetchDoesNotStandStill) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Producer> producer = session.Plain();
  constexpr int kRecords = 8'000;
  const std::string filler(1'000, 'f');
  for (int i = 0; i < kRecords; ++i)
    Must(producer->Send(MakeRecord(topic, 0, std::to_string(i), filler)));
  Must(producer->Flush(fixture.patience()));
  std::unique_ptr<Consumer> consumer = session.Reader(Isolation::kCommitted, 64 << 10);
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  const Duration start = SteadyNow();
  EXPECT_EQ(session.ReadToEnd(*consumer, *reader).size(), static_cast<size_t>(kRecords));
  EXPECT_LT(SteadyNow() - start, 25 * kSecond);
}

void DeleteRecordsBelow(const KafkaOptions& options, const std::string& topic, int64_t offset) {
  auto client = Must(KafkaClient::Open(KafkaClient::Kind::kConsumer, "deleter", options, {}, {}, {}));
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client->handle());
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = offset;
  rd_kafka_DeleteRecords_t* deletion = rd_kafka_DeleteRecords_new(list);
  rd_kafka_DeleteRecords(client->handle(), &deletion, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  EXPECT_TRUE(event != nullptr && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(event);
  rd_kafka_DeleteRecords_destroy(deletion);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_destroy(queue);
}

TEST(KafkaReader, SaysWhenRecordsWereDeleted) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Producer> producer = session.Plain();
  SendAll(*producer, topic, 0, {"0", "1", "2", "3"});
  Must(producer->Flush(fixture.patience()));
  DeleteRecordsBelow(fixture.Options(), topic, 3);
  EXPECT_EQ(session.Range(topic).begin, 3);
  std::unique_ptr<Consumer> consumer = session.Reader();
  const Result<PartitionReader*> gone = consumer->Assign({topic, 0}, 1);
  ASSERT_EQ(gone.status().code(), Code::kNotFound);
  EXPECT_NE(gone.status().message().find("no longer has offset 1, it begins at 3"), std::string::npos)
      << gone.status().message();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 3));
  EXPECT_EQ(ValuesOf(session.ReadToEnd(*consumer, *reader)), (std::vector<std::string>{"3"}));
}

// A position beyond everything, such as a topic made anew leaves behind: an error, not silence.
TEST(KafkaReader, SaysWhenItsPositionIsBeyondTheTopic) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 1'000));
  Status status;
  EXPECT_TRUE(session.PollUntil(*consumer, [&] {
    status = reader->Next().status();
    return !status.ok();
  }));
  EXPECT_EQ(status.code(), Code::kNotFound) << status.message();
  EXPECT_NE(status.message().find("1000"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace freshet
