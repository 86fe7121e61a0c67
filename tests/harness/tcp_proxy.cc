#include "tests/harness/tcp_proxy.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/ports.h"

namespace freshet {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMaxQueued = 4 << 20;  // bytes one direction holds before it stops reading
constexpr size_t kChunk = 64 << 10;

struct Chunk {
  Steady::time_point due;
  std::string bytes;
};

// One direction of a connection: what was read from one socket and not yet written to the other.
struct Direction {
  std::deque<Chunk> queue;
  size_t queued = 0;
  bool ended = false;     // the reader's side sent its last byte
  bool finished = false;  // and the writer's side was told so
};

struct Connection {
  int client;
  int server;
  Direction up, down;
  bool broken = false;
};

void SetNonBlocking(int socket) {
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

// Closes with a reset, as a cut line would look after its time-out.
void Reset(int socket) {
  const linger hard{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(socket);
}

}  // namespace

class TcpProxy::Loop {
 public:
  Loop() : port_(FreePort()), listener_(ListenOn(port_)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (listener_ < 0 || wake_ < 0) std::abort();
    SetNonBlocking(listener_);
    thread_ = std::thread([this] { Run(); });
  }
  ~Loop() {
    Change([this] { stop_ = true; });
    thread_.join();
    close(listener_);
    close(wake_);
  }

  // Returns once the thread works by the changed orders.
  template <class F>
  void Change(F change) {
    std::unique_lock lock(mutex_);
    change();
    const uint64_t version = ++version_;
    const uint64_t one = 1;
    if (write(wake_, &one, sizeof one) < 0) std::abort();
    applied_.wait(lock, [&] { return applied_version_ >= version; });
  }

  const uint16_t port_;
  std::mutex mutex_;  // guards those below
  uint16_t target_ = 0;
  Duration delay_ = 0;
  bool stalled_ = false;
  bool cut_ = false;
  bool stop_ = false;
  uint64_t version_ = 0;          // of the orders above
  uint64_t applied_version_ = 0;  // by which the thread works
  std::condition_variable applied_;

  std::atomic<int> open_ = 0;
  std::atomic<int64_t> forwarded_ = 0;

 private:
  struct Orders {
    uint16_t target;
    Duration delay;
    bool stalled, cut, stop;
    uint64_t version;
  };
  Orders Current() {
    const std::lock_guard lock(mutex_);
    return {target_, delay_, stalled_, cut_, stop_, version_};
  }
  void Applied(uint64_t version) {
    const std::lock_guard lock(mutex_);
    applied_version_ = version;
    applied_.notify_all();
  }

  void Run();
  void Accept(const Orders& orders);
  void Read(int from, Direction& direction, bool& broken, const Orders& orders) const;
  void Write(int to, Direction& direction, bool& broken);
  int Await(const Orders& orders, std::vector<pollfd>& sockets) const;
  void CutAll();

  const int listener_;
  const int wake_;
  std::list<Connection> connections_;
  std::thread thread_;
};

void TcpProxy::Loop::Run() {
  std::vector<pollfd> sockets;
  for (;;) {
    const Orders orders = Current();
    if (orders.cut || orders.stop) CutAll();
    Applied(orders.version);
    if (orders.stop) return;
    const int timeout = Await(orders, sockets);
    if (poll(sockets.data(), sockets.size(), timeout) < 0 && errno != EINTR) std::abort();
    uint64_t woken = 0;
    if (read(wake_, &woken, sizeof woken) < 0 && errno != EAGAIN) std::abort();
    size_t next = 2;
    for (Connection& c : connections_) {
      const short client = sockets[next++].revents;
      const short server = sockets[next++].revents;
      if (client & (POLLIN | POLLHUP | POLLERR)) Read(c.client, c.up, c.broken, orders);
      if (server & (POLLIN | POLLHUP | POLLERR)) Read(c.server, c.down, c.broken, orders);
      if (orders.stalled) continue;
      Write(c.server, c.up, c.broken);
      Write(c.client, c.down, c.broken);
    }
    connections_.remove_if([](const Connection& c) {
      if (!c.broken && !(c.up.finished && c.down.finished)) return false;
      for (const int socket : {c.client, c.server}) {
        if (c.broken) {
          Reset(socket);
        } else {
          close(socket);
        }
      }
      return true;
    });
    Accept(orders);
    open_ = static_cast<int>(connections_.size());
  }
}

// What to wait for: two entries for ourselves, two a connection; returns the time to the next due chunk, in
// ms.
int TcpProxy::Loop::Await(const Orders& orders, std::vector<pollfd>& sockets) const {
  sockets = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
  int timeout = -1;
  const auto now = Steady::now();
  const auto interest = [&](const Direction& in, const Direction& out) {
    short events = 0;
    if (!in.ended && in.queued < kMaxQueued) events = POLLIN;
    if (orders.stalled || out.queue.empty()) return events;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(out.queue.front().due - now).count();
    if (wait <= 0) return static_cast<short>(events | POLLOUT);
    timeout = static_cast<int>(timeout < 0 ? wait : std::min<int64_t>(timeout, wait));
    return events;
  };
  for (const Connection& c : connections_) {
    const short client = interest(c.up, c.down);
    const short server = interest(c.down, c.up);
    // A negative descriptor is skipped: a closed peer would report POLLHUP for ever.
    sockets.push_back({client != 0 ? c.client : -1, client, 0});
    sockets.push_back({server != 0 ? c.server : -1, server, 0});
  }
  return timeout;
}

void TcpProxy::Loop::Accept(const Orders& orders) {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    const int server = orders.cut || orders.target == 0 ? -1 : ConnectTo(orders.target);
    if (server < 0) {
      Reset(client);
      continue;
    }
    SetNonBlocking(server);
    connections_.push_back({client, server, {}, {}});
  }
}

void TcpProxy::Loop::Read(int from, Direction& direction, bool& broken, const Orders& orders) const {
  while (!direction.ended && direction.queued < kMaxQueued) {
    std::string bytes(kChunk, '\0');
    const ssize_t got = recv(from, bytes.data(), bytes.size(), 0);
    if (got < 0) {
      if (errno != EAGAIN && errno != EINTR) broken = true;
      return;
    }
    if (got == 0) {
      direction.ended = true;
      return;
    }
    bytes.resize(static_cast<size_t>(got));
    direction.queued += bytes.size();
    direction.queue.push_back({Steady::now() + std::chrono::microseconds(orders.delay), std::move(bytes)});
  }
}

void TcpProxy::Loop::Write(int to, Direction& direction, bool& broken) {
  const auto now = Steady::now();
  while (!direction.queue.empty() && direction.queue.front().due <= now) {
    std::string& bytes = direction.queue.front().bytes;
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) broken = true;
      return;
    }
    forwarded_ += sent;
    direction.queued -= static_cast<size_t>(sent);
    bytes.erase(0, static_cast<size_t>(sent));
    if (bytes.empty()) direction.queue.pop_front();
  }
  if (direction.ended && direction.queue.empty() && !direction.finished) {
    shutdown(to, SHUT_WR);
    direction.finished = true;
  }
}

void TcpProxy::Loop::CutAll() {
  for (const Connection& c : connections_) {
    Reset(c.client);
    Reset(c.server);
  }
  connections_.clear();
  open_ = 0;
}

TcpProxy::TcpProxy() : loop_(std::make_unique<Loop>()) {}
TcpProxy::~TcpProxy() = default;
uint16_t TcpProxy::port() const {
  return loop_->port_;
}
// A byte may be read at its end before it is counted here: the empty change waits until the thread has come
// round.
int TcpProxy::connections() const {
  loop_->Change([] {});
  return loop_->open_;
}
int64_t TcpProxy::forwarded() const {
  loop_->Change([] {});
  return loop_->forwarded_;
}
void TcpProxy::Forward(uint16_t port) {
  loop_->Change([&] { loop_->target_ = port; });
}
void TcpProxy::Delay(Duration each_way) {
  loop_->Change([&] { loop_->delay_ = each_way; });
}
void TcpProxy::Stall() {
  loop_->Change([&] { loop_->stalled_ = true; });
}
void TcpProxy::Cut() {
  loop_->Change([&] { loop_->cut_ = true; });
}
void TcpProxy::Resume() {
  loop_->Change([&] { loop_->stalled_ = loop_->cut_ = false; });
}

}  // namespace freshet
