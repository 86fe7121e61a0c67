// What is told of topics: their settings, and where their partitions begin and end.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "engine/log/kafka/kafka_log.h"
#include "tests/engine/log/kafka/kafka_fixture.h"

namespace freshet {
namespace {

TEST(KafkaTopics, TellHowLongTheyKeepRecords) {
  KafkaFixture fixture;
  const auto retention_of = [&](const char* name, bool compacted, std::optional<Duration> retention) {
    TopicSettings settings;
    settings.compacted = compacted;
    settings.retention = retention;
    const std::string topic = fixture.Name(name);
    const Status created = fixture.log().Create(topic, settings);
    EXPECT_TRUE(created.ok()) << created.message();
    const Result<std::optional<TopicInfo>> found = fixture.log().Find(topic);
    EXPECT_TRUE(found.ok() && *found) << found.status().message();
    return found.ok() && *found ? (*found)->retention : 0;
  };
  EXPECT_EQ(retention_of("week", false, 7 * kDay), 7 * kDay);
  EXPECT_EQ(retention_of("ever", false, kMaxTime), kMaxTime);
  EXPECT_EQ(retention_of("compacted", true, std::nullopt), kMaxTime);
  EXPECT_EQ(retention_of("default", false, std::nullopt), 7 * kDay);
}

struct ClientDeleter {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
struct ClusterDeleter {
  void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
};

// librdkafka's own imitation of a broker, for answers a real one gives by chance only.
struct ImitatedBroker {
  std::unique_ptr<rd_kafka_t, ClientDeleter> client{
      rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)};
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDeleter> cluster{
      rd_kafka_mock_cluster_new(client.get(), 1)};

  void DenyPartitions(size_t answers) {
    constexpr int16_t kListOffsets = 2;
    const std::vector<rd_kafka_resp_err_t> errors(answers, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    rd_kafka_mock_push_request_errors_array(cluster.get(), kListOffsets, errors.size(), errors.data());
  }
};

TEST(KafkaTopics, PartitionsThatABrokerListsButDoesNotServeYetAreWaitedFor) {
  ImitatedBroker broker;
  rd_kafka_mock_topic_create(broker.cluster.get(), "new", 1, 1);
  KafkaOptions options;
  options.brokers = rd_kafka_mock_cluster_bootstraps(broker.cluster.get());
  const std::unique_ptr<Log> log = Must(OpenKafkaLog(options));
  broker.DenyPartitions(4);
  const OffsetRange range = Must(log->Range({"new", 0}, Isolation::kCommitted));
  EXPECT_EQ(range.begin, 0);
  EXPECT_EQ(range.end, 0);
  EXPECT_EQ(log->Range({"new", 1}, Isolation::kCommitted).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace freshet
