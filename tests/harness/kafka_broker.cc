#include "tests/harness/kafka_broker.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/ports.h"

namespace freshet {
namespace {

constexpr Duration kFormatLimit = 60 * kSecond;
constexpr Duration kStartLimit = 120 * kSecond;  // it takes about 4 s, on a machine that does nothing else
constexpr Duration kStopLimit = 60 * kSecond;
constexpr Duration kAnswerLimit = 5 * kSecond;
constexpr int kRetryMilliseconds = 20;
constexpr size_t kLogTail = 4000;

std::string LibsDir() {
  const char* given = std::getenv("FRESHET_KAFKA_LIBS");
  return given != nullptr && *given != '\0' ? given : FRESHET_KAFKA_LIBS_DIR;
}

bool HoldsKafka(const std::string& libs) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(libs, ignored)) {
    if (entry.path().filename().string().starts_with("kafka_")) return true;
  }
  return false;
}

std::vector<std::string> Java(const std::string& libs, const std::vector<std::string>& arguments) {
  // Quick to start rather than quick in the end; small heap, since several brokers share a test machine.
  std::vector<std::string> command = {"java",
                                      "-Xms128m",
                                      "-Xmx512m",
                                      "-XX:+UseSerialGC",
                                      "-XX:TieredStopAtLevel=1",
                                      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                                      "-cp",
                                      libs + "/*"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

// Sends ApiVersions (key 18, version 0, correlation 7, no client id) and waits for the answer. The broker
// opens its port early but answers only when it serves everything.
bool Answers(uint16_t port) {
  const int socket = ConnectTo(port);
  if (socket < 0) return false;
  static constexpr std::array<unsigned char, 14> kRequest = {0, 0, 0, 10, 0, 18,   0,
                                                             0, 0, 0, 0,  7, 0xff, 0xff};
  std::array<unsigned char, 8> answer{};  // length, correlation
  bool good = send(socket, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == ssize_t{kRequest.size()};
  size_t got = 0;
  while (good && got < answer.size()) {
    pollfd readable{socket, POLLIN, 0};
    good = poll(&readable, 1, static_cast<int>(kAnswerLimit / kMillisecond)) == 1;
    const ssize_t more = good ? recv(socket, answer.data() + got, answer.size() - got, 0) : 0;
    good = more > 0;
    if (good) got += static_cast<size_t>(more);
  }
  close(socket);
  return good && answer[7] == 7;
}

}  // namespace

Result<std::unique_ptr<KafkaBroker>> KafkaBroker::Create(const Options& options) {
  std::unique_ptr<KafkaBroker> broker(new KafkaBroker());
  broker->libs_ = LibsDir();
  if (!HoldsKafka(broker->libs_)) {
    return Status(Code::kNotFound, "no Kafka broker in " + broker->libs_ +
                                       "; ./dev setup fetches its jars there, or set FRESHET_KAFKA_LIBS");
  }
  if (Status status = broker->Configure(options); !status.ok()) return status;
  if (Status status = broker->Format(); !status.ok()) return status;
  if (Status status = broker->Start(); !status.ok()) return status;
  return broker;
}

KafkaBroker::~KafkaBroker() = default;

Status KafkaBroker::Configure(const Options& options) {
  port_ = FreePort();
  const uint16_t controller = FreePort();
  if (port_ == 0 || controller == 0) return {Code::kExhausted, "no free TCP port on 127.0.0.1"};
  bootstrap_ = "127.0.0.1:" + std::to_string(port_);
  const std::string controller_address = "127.0.0.1:" + std::to_string(controller);
  std::string listeners = "PLAINTEXT://" + bootstrap_;
  std::string advertised = listeners;
  if (options.proxy_port != 0) {
    // A listener of its own, so that the broker's calls to itself do not pass through the proxy.
    proxied_port_ = FreePort();
    listeners += ",PROXIED://127.0.0.1:" + std::to_string(proxied_port_);
    advertised += ",PROXIED://127.0.0.1:" + std::to_string(options.proxy_port);
  }
  std::string text =
      "process.roles=broker,controller\n"
      "node.id=1\n"
      "controller.quorum.voters=1@" +
      controller_address +
      "\n"
      "listeners=" +
      listeners + ",CONTROLLER://" + controller_address +
      "\n"
      "advertised.listeners=" +
      advertised +
      "\n"
      "controller.listener.names=CONTROLLER\n"
      "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
      "inter.broker.listener.name=PLAINTEXT\n"
      "log.dirs=" +
      dir_.File("data") +
      "\n"
      "offsets.topic.replication.factor=1\n"
      "offsets.topic.num.partitions=8\n"
      "transaction.state.log.replication.factor=1\n"
      "transaction.state.log.min.isr=1\n"
      "transaction.state.log.num.partitions=8\n"
      "group.initial.rebalance.delay.ms=0\n"
      "broker.session.timeout.ms=3000\n"  // a killed broker may register again only after it
      "broker.heartbeat.interval.ms=250\n"
      "controller.quorum.election.timeout.ms=100\n"
      "controller.quorum.election.backoff.max.ms=100\n"
      "auto.create.topics.enable=false\n"
      "log.cleaner.dedupe.buffer.size=16777216\n";
  for (const std::string& line : options.properties)
    text += line + "\n";
  dir_.Write("server.properties", text);
  return {};
}

Status KafkaBroker::Format() {
  Result<Process> format = Process::Start(
      {.command = Java(libs_, {"kafka.tools.StorageTool", "format", "-t", "ZnJlc2hldC1icm9rZXIxMg", "-c",
                               dir_.File("server.properties"), "--ignore-formatted"}),
       .output = dir_.File("broker.log"),
       .errors = "",
       .environment = {}});
  if (!format.ok()) return format.status();
  const std::optional<int> code = format->Wait(kFormatLimit);
  if (code == 127) return {Code::kNotFound, "no java on PATH; ./dev setup installs it"};
  if (code != 0) return Internal("formatting the broker's storage failed:\n" + Log());
  return {};
}

Status KafkaBroker::Start() {
  if (process_ && process_->Running()) return Internal("the broker runs already");
  Result<Process> started =
      Process::Start({.command = Java(libs_, {"kafka.Kafka", dir_.File("server.properties")}),
                      .output = dir_.File("broker.log"),
                      .errors = "",
                      .environment = {}});
  if (!started.ok()) return started.status();
  process_ = std::make_unique<Process>(std::move(*started));
  return AwaitAnswer();
}

Status KafkaBroker::AwaitAnswer() {
  using Steady = std::chrono::steady_clock;
  const auto deadline = Steady::now() + std::chrono::microseconds(kStartLimit);
  while (Steady::now() < deadline) {
    if (Answers(port_)) return {};
    if (process_->Wait(kRetryMilliseconds * kMillisecond))
      return Internal("the broker ended at start:\n" + Log());
  }
  return {Code::kUnreachable,
          "the broker does not answer after " + std::to_string(kStartLimit / kSecond) + " s:\n" + Log()};
}

Status KafkaBroker::Stop() {
  if (!process_) return {};
  process_->Signal(SIGTERM);
  if (process_->Wait(kStopLimit)) return {};
  process_->Kill();
  return Internal("the broker did not stop on SIGTERM and was killed:\n" + Log());
}

void KafkaBroker::Kill() {
  if (process_) process_->Kill();
}

void KafkaBroker::Pause() {
  if (process_) process_->Signal(SIGSTOP);
}

void KafkaBroker::Resume() {
  if (process_) process_->Signal(SIGCONT);
}

std::string KafkaBroker::Log() const {
  const std::string text = ReadFile(dir_.File("broker.log"));
  return text.size() <= kLogTail ? text : text.substr(text.size() - kLogTail);
}

}  // namespace freshet
