// What is told of a topic's settings.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace freshet
