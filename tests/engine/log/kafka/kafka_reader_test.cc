// What only a broker does to a reader.
#include <algorithm>

#include <librdkafka/rdkafka.h>

#include "engine/log/kafka/kafka_client.h"
#include "engine/log/kafka/kafka_consumer.h"
#include "engine/log/kafka/kafka_rouser.h"
#include "tests/engine/log/kafka/kafka_fixture.h"
#include "tests/engine/log/kafka/kafka_lane.h"

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

// The lane's thread serves many partitions: none may hold it up, though their broker stands still.
TEST(KafkaReader, NextNeverWaitsForABroker) {
  constexpr int32_t kPartitions = 12;
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", kPartitions);
  std::unique_ptr<Producer> producer = session.Plain();
  const std::string filler(1'000, 'f');
  for (int i = 0; i < 300; ++i) {
    for (int32_t p = 0; p < kPartitions; ++p)
      Must(producer->Send(MakeRecord(topic, p, std::to_string(i), filler)));
    if (i % 20 == 19) Must(producer->Flush(fixture.patience()));  // a broker gives whole batches
  }
  std::unique_ptr<Consumer> consumer = session.Reader(Isolation::kCommitted, 64 << 10);
  std::vector<PartitionReader*> readers;
  std::vector<size_t> read(kPartitions, 0);
  for (int32_t p = 0; p < kPartitions; ++p)
    readers.push_back(Must(consumer->Assign({topic, p}, 0)));
  const auto take = [&](size_t p) {
    const bool got = Must(readers[p]->Next()) != nullptr;
    read[p] += got ? 1 : 0;
    return got;
  };
  ASSERT_TRUE(session.PollUntil(*consumer, [&] {
    for (size_t p = 0; p < readers.size(); ++p) {
      if (read[p] == 0) take(p);
    }
    return std::all_of(read.begin(), read.end(), [](size_t n) { return n > 0; });
  }));

  SharedBroker().Pause();
  Duration longest = 0;
  for (const Duration start = SteadyNow(); SteadyNow() - start < 300 * kMillisecond;) {
    for (size_t p = 0; p < readers.size(); ++p) {
      const Duration before = SteadyNow();
      take(p);
      longest = std::max(longest, SteadyNow() - before);
    }
  }
  const bool waited = std::any_of(readers.begin(), readers.end(),
                                  [](const PartitionReader* reader) { return reader->has_known_lag(); });
  SharedBroker().Resume();
  EXPECT_TRUE(waited);
  EXPECT_LT(longest, 500 * kMillisecond);
  EXPECT_TRUE(session.PollUntil(*consumer, [&] {
    for (size_t p = 0; p < readers.size(); ++p) {
      while (take(p)) {
      }
    }
    return std::all_of(read.begin(), read.end(), [](size_t n) { return n == 300; });
  }));
}

TEST(KafkaReader, AllPartitionsTogetherPrefetchWhatTheyMay) {
  for (const int64_t prefetch : {1 << 20, 16 << 20, 32 << 20}) {
    for (const int32_t partitions : {1, 8, 35, 200}) {
      ConsumerOptions options;
      options.prefetch_bytes = prefetch;
      options.partitions = partitions;
      const PrefetchLimits limits = LimitsFor(options);
      EXPECT_LE(partitions * (limits.bytes + limits.fetch),
                std::max<int64_t>(prefetch, partitions * int64_t{65'536}));
      EXPECT_GE(limits.fetch, 32 << 10);
      EXPECT_GE(limits.bytes, limits.fetch);
    }
  }
}

TEST(KafkaRouser, HasOneQuestionUnderWay) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  auto client =
      Must(KafkaClient::Open(KafkaClient::Kind::kConsumer, "rouser", fixture.Options(), {}, {}, {}));
  constexpr int32_t kBroker = 1;
  {
    KafkaRouser rouser(client->handle());
    for (uint64_t asked = 1; asked <= 3; ++asked)
      Await([&] { return rouser.Rouse(kBroker, topic), rouser.asked() >= asked; }, "no answer frees the way");
    SharedBroker().Pause();
    const uint64_t before = rouser.asked();
    for (int i = 0; i < 1'000; ++i)
      rouser.Rouse(kBroker, topic);
    EXPECT_LE(rouser.asked(), before + 1);
    EXPECT_EQ(rouser.under_way(), 1U);
    // One that is not answered is given up.
    const uint64_t unanswered = rouser.asked();
    Await([&] { return rouser.Rouse(kBroker, topic), rouser.asked() > unanswered; }, "it is never given up");
    SharedBroker().Resume();
  }
  client->Destroy(10 * kSecond);
}

TEST(KafkaReader, LeavesHeadersOutWhereNobodyWantsThem) {
  KafkaFixture fixture;
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Producer> producer = session.Plain();
  const std::vector<Header> headers = {{"a", "1"}};
  OutgoingRecord record = MakeRecord(topic, 0, "key", "value");
  record.headers = headers;
  Must(producer->Send(record));
  Must(producer->Flush(fixture.patience()));
  for (const bool wanted : {true, false}) {
    ConsumerOptions options;
    options.headers = wanted;
    std::unique_ptr<Consumer> consumer = session.GroupConsumer(options);
    PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
    const RecordView* read = nullptr;
    ASSERT_TRUE(session.PollUntil(*consumer, [&] { return (read = Must(reader->Next())) != nullptr; }));
    EXPECT_EQ(read->headers.size(), wanted ? 1U : 0U);
  }
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
