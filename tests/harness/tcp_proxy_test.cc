#include "tests/harness/tcp_proxy.h"

#include <cerrno>
#include <chrono>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/ports.h"

namespace freshet {
namespace {

constexpr int kPatience = 30'000;  // ms; a bound on failure, never waited out on success

bool Readable(int socket, int milliseconds) {
  pollfd waiting{socket, POLLIN, 0};
  return poll(&waiting, 1, milliseconds) == 1;
}

std::string Receive(int socket, size_t bytes) {
  std::string text;
  while (text.size() < bytes && Readable(socket, kPatience)) {
    std::string part(bytes - text.size(), '\0');
    const ssize_t got = recv(socket, part.data(), part.size(), 0);
    if (got <= 0) break;
    text.append(part, 0, static_cast<size_t>(got));
  }
  return text;
}

void Send(int socket, const std::string& text) {
  ASSERT_EQ(send(socket, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

// A client and a server with the proxy between them.
class TcpProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    const uint16_t port = FreePort();
    listener_ = ListenOn(port);
    ASSERT_GE(listener_, 0);
    proxy_.Forward(port);
    Connect();
  }
  void TearDown() override {
    for (const int socket : {client_, server_, listener_})
      close(socket);
  }
  void Connect() {
    client_ = ConnectTo(proxy_.port());
    ASSERT_GE(client_, 0);
    ASSERT_TRUE(Readable(listener_, kPatience));
    server_ = accept(listener_, nullptr, nullptr);
    ASSERT_GE(server_, 0);
  }
  void Close() {
    close(client_);
    close(server_);
  }

  TcpProxy proxy_;
  int listener_ = -1;
  int client_ = -1;
  int server_ = -1;
};

TEST_F(TcpProxyTest, CarriesBytesBothWaysAndTheEnd) {
  const std::string large(3'000'000, 'x');
  Send(client_, "hello");
  EXPECT_EQ(Receive(server_, 5), "hello");
  std::string all;
  for (size_t at = 0; at < large.size(); at += 100'000) {  // in step, so that no buffer on the way fills up
    Send(server_, large.substr(at, 100'000));
    all += Receive(client_, 100'000);
  }
  EXPECT_EQ(all, large);
  EXPECT_EQ(proxy_.forwarded(), 5 + static_cast<int64_t>(large.size()));
  shutdown(client_, SHUT_WR);
  EXPECT_EQ(Receive(server_, 1), "");
  Send(server_, "still");
  EXPECT_EQ(Receive(client_, 5), "still");
}

TEST_F(TcpProxyTest, DelaysEachWay) {
  proxy_.Delay(50 * kMillisecond);
  const auto start = std::chrono::steady_clock::now();
  Send(client_, "ping");
  EXPECT_EQ(Receive(server_, 4), "ping");
  Send(server_, "pong");
  EXPECT_EQ(Receive(client_, 4), "pong");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
}

TEST_F(TcpProxyTest, StallHoldsBytesUntilResume) {
  proxy_.Stall();
  Send(client_, "late");
  EXPECT_FALSE(Readable(server_, 50));
  EXPECT_EQ(proxy_.forwarded(), 0);
  proxy_.Resume();
  EXPECT_EQ(Receive(server_, 4), "late");
}

TEST_F(TcpProxyTest, CutResetsAndRefusesUntilResume) {
  proxy_.Cut();
  for (const int socket : {client_, server_}) {
    ASSERT_TRUE(Readable(socket, kPatience));
    char byte = 0;
    EXPECT_LT(recv(socket, &byte, 1, 0), 0);
    EXPECT_EQ(errno, ECONNRESET);
  }
  const int refused = ConnectTo(proxy_.port());
  ASSERT_GE(refused, 0);
  ASSERT_TRUE(Readable(refused, kPatience));
  char byte = 0;
  EXPECT_LE(recv(refused, &byte, 1, 0), 0);
  close(refused);
  EXPECT_FALSE(Readable(listener_, 0));

  proxy_.Resume();
  Close();
  Connect();
  Send(client_, "again");
  EXPECT_EQ(Receive(server_, 5), "again");
}

TEST_F(TcpProxyTest, ADeadServerResetsTheClient) {
  const int listener = listener_;
  close(listener);
  listener_ = -1;
  const int client = ConnectTo(proxy_.port());
  ASSERT_GE(client, 0);
  EXPECT_EQ(Receive(client, 1), "");
  close(client);
}

}  // namespace
}  // namespace freshet
