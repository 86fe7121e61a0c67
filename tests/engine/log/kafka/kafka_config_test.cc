// What a user may set, and what is said when no broker answers.
#include "engine/log/kafka/kafka_config.h"

#include "tests/engine/log/kafka/kafka_fixture.h"
#include "tests/harness/ports.h"

namespace freshet {
namespace {

TEST(KafkaConfig, RefusesWhatIsNotTheUsers) {
  for (const char* key :
       {"plugin.library.paths", "ssl.engine.location", "sasl.kerberos.kinit.cmd", "transactional.id",
        "transaction.timeout.ms", "enable.idempotence", "acks", "isolation.level", "group.id",
        "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset", "retries",
        "max.in.flight.requests.per.connection", "partition.assignment.strategy", "bootstrap.servers",
        "allow.auto.create.topics", "log_cb", "test.mock.num.brokers"}) {
    const Status status = CheckUserSettings({{key, "1"}}, {});
    EXPECT_EQ(status.code(), Code::kInvalid) << key;
    EXPECT_NE(status.message().find("`" + std::string(key) + "` may not be set"), std::string::npos)
        << status.message();
  }
}

TEST(KafkaConfig, TakesWhatConcernsConnectionsAndSpeed) {
  EXPECT_OK(CheckUserSettings({{"security.protocol", "sasl_ssl"},
                               {"sasl.mechanisms", "SCRAM-SHA-512"},
                               {"sasl.username", "u"},
                               {"sasl.password", "p"},
                               {"linger.ms", "50"},
                               {"compression.type", "zstd"},
                               {"max.poll.interval.ms", "600000"}},
                              {}));
}

TEST(KafkaConfig, NamesEveryFaultAtOnceAndNoSecret) {
  const Status status = CheckUserSettings(
      {{"linger.mss", "5"},
       {"linger.ms", "soon"},
       {"acks", "0"},
       {"enable.sasl.oauthbearer.unsecure.jwt", "hunter2"},  // refused, and secret by its name
       {"security.protocol", "swordfish"}},                  // by where it came from
      {"swordfish"});
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_NE(status.message().find("`linger.mss` is unknown"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("`linger.ms` is refused"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("`acks` may not be set"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("unsecure.jwt` is refused"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("`security.protocol` is refused"), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find("hunter2"), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find("swordfish"), std::string::npos) << status.message();
}

TEST(KafkaLog, RefusesBadSettingsWhenOpened) {
  KafkaOptions options;
  options.brokers = SharedBroker().bootstrap();
  options.settings = {{"enable.idempotence", "false"}};
  EXPECT_EQ(OpenKafkaLog(options).status().code(), Code::kInvalid);
  options.settings.clear();
  options.brokers.clear();
  EXPECT_EQ(OpenKafkaLog(options).status().code(), Code::kInvalid);
}

TEST(KafkaLog, SaysWhichBrokerDoesNotAnswerAndWhy) {
  KafkaOptions options;
  options.brokers = "127.0.0.1:" + std::to_string(FreePort());
  options.connect_limit = kSecond;
  const Status status = OpenKafkaLog(options).status();
  EXPECT_EQ(status.code(), Code::kUnreachable);
  EXPECT_TRUE(status.message().starts_with("cannot reach " + options.brokers + ": ")) << status.message();
  EXPECT_NE(status.message().find("Connection refused"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("is the broker up"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace freshet
