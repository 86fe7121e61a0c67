#include "tests/harness/ports.h"

#include <atomic>
#include <random>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace freshet {
namespace {

constexpr uint32_t kFirst = 10'000;
constexpr uint32_t kCount = 22'000;  // ends below 32768, where the kernel's own range begins

sockaddr_in Address(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// The one place that needs the socket interface's cast.
const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

uint16_t FreePort() {
  // A random start, so that test programs running side by side rarely try the same ports; then one after
  // another, so that one program never gets a port twice.
  static std::atomic<uint32_t> next = std::random_device()();
  for (uint32_t tried = 0; tried < kCount; ++tried) {
    const auto port = static_cast<uint16_t>(kFirst + next.fetch_add(1) % kCount);
    const int socket = ListenOn(port);
    if (socket < 0) continue;
    close(socket);
    return port;
  }
  return 0;
}

int ConnectTo(uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const sockaddr_in address = Address(port);
  if (connect(socket, Generic(address), sizeof address) != 0) {
    close(socket);
    return -1;
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

int ListenOn(uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Address(port);
  if (bind(socket, Generic(address), sizeof address) != 0 || listen(socket, 64) != 0) {
    close(socket);
    return -1;
  }
  return socket;
}

}  // namespace freshet
