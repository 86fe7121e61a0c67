// The broker of the harness, seen by an independent client (kcat).
#include "tests/harness/kafka_broker.h"

#include <gtest/gtest.h>

#include "tests/harness/tcp_proxy.h"

namespace freshet {
namespace {

struct Ran {
  int code;
  std::string output;
};

Ran Kcat(std::vector<std::string> arguments) {
  const TempDir dir;
  arguments.insert(arguments.begin(), "kcat");
  auto process = Process::Start({.command = std::move(arguments),
                                 .output = dir.File("out"),
                                 .errors = dir.File("err"),
                                 .environment = {}});
  if (!process.ok()) return {-1, process.status().message()};
  const int code = process->Wait(60 * kSecond).value_or(-1);
  return {code, ReadFile(dir.File("out")) + ReadFile(dir.File("err"))};
}

Ran List(const std::string& bootstrap) {
  return Kcat({"-L", "-m", "2", "-b", bootstrap});
}

TEST(KafkaBroker, KeepsWhatWasWrittenThroughStopKillAndPause) {
  auto broker = KafkaBroker::Create({.properties = {"auto.create.topics.enable=true"}, .proxy_port = 0});
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  const std::string bootstrap = (*broker)->bootstrap();
  const TempDir dir;
  const std::string lines = dir.Write("lines", "one\ntwo\n");
  ASSERT_EQ(Kcat({"-P", "-b", bootstrap, "-t", "numbers", "-l", lines, "-X", "acks=all"}).code, 0)
      << (*broker)->Log();
  const std::vector<std::string> read = {"-C", "-b",        bootstrap, "-t", "numbers",
                                         "-o", "beginning", "-e",      "-q"};
  EXPECT_EQ(Kcat(read).output, "one\ntwo\n");

  (*broker)->Kill();
  EXPECT_NE(List(bootstrap).code, 0);
  Status again = (*broker)->Start();
  ASSERT_TRUE(again.ok()) << again.message();
  EXPECT_EQ((*broker)->bootstrap(), bootstrap);
  EXPECT_EQ(Kcat(read).output, "one\ntwo\n");

  (*broker)->Pause();
  EXPECT_NE(List(bootstrap).code, 0);
  (*broker)->Resume();
  EXPECT_EQ(Kcat(read).output, "one\ntwo\n");

  Status stopped = (*broker)->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped.message();
  EXPECT_NE(List(bootstrap).code, 0);
  again = (*broker)->Start();
  ASSERT_TRUE(again.ok()) << again.message();
  EXPECT_EQ(Kcat(read).output, "one\ntwo\n");
  EXPECT_FALSE((*broker)->Start().ok()) << "it runs already";
}

TEST(KafkaBroker, TellsClientsOfTheProxyToStayThere) {
  TcpProxy proxy;
  auto broker = KafkaBroker::Create({.properties = {}, .proxy_port = proxy.port()});
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  proxy.Forward((*broker)->proxied_port());
  const Ran listed = List(proxy.address());
  EXPECT_EQ(listed.code, 0) << listed.output;
  EXPECT_NE(listed.output.find("broker 1 at " + proxy.address()), std::string::npos) << listed.output;
  EXPECT_NE(List((*broker)->bootstrap()).output.find("broker 1 at " + (*broker)->bootstrap()),
            std::string::npos);
  proxy.Cut();
  EXPECT_NE(List(proxy.address()).code, 0);
}

TEST(KafkaBroker, SaysWhatToDoWithoutJars) {
  const TempDir empty;
  setenv("FRESHET_KAFKA_LIBS", empty.path().c_str(), 1);
  const auto broker = KafkaBroker::Create();
  unsetenv("FRESHET_KAFKA_LIBS");
  ASSERT_FALSE(broker.ok());
  EXPECT_NE(broker.status().message().find("./dev setup"), std::string::npos) << broker.status().message();
}

TEST(KafkaBroker, ShowsTheBrokersOwnWordsWhenItCannotStart) {
  const auto broker = KafkaBroker::Create({.properties = {"log.retention.ms=never"}, .proxy_port = 0});
  ASSERT_FALSE(broker.ok());
  EXPECT_NE(broker.status().message().find("log.retention.ms"), std::string::npos)
      << broker.status().message();
}

}  // namespace
}  // namespace freshet
