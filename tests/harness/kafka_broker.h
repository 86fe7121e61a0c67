#pragma once
// A real Kafka broker (KRaft, one node) for tests, in a directory of its own, on free ports of 127.0.0.1. It
// keeps directory and ports over Stop, Kill and Start, so a client sees the same broker come back. Start it
// from the main thread (see process.h); one thread at a time. It needs Java and the jars that `./dev test`
// fetches.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_dir.h"

namespace freshet {

class KafkaBroker {
 public:
  struct Options {
    std::vector<std::string>
        properties;           // further lines of server.properties, such as "message.max.bytes=1000000"
    uint16_t proxy_port = 0;  // where a TcpProxy listens that forwards to proxied_port(); 0: none
  };
  // Formats the directory, starts the broker and returns once it answers.
  static Result<std::unique_ptr<KafkaBroker>> Create(const Options& options);
  static Result<std::unique_ptr<KafkaBroker>> Create() { return Create(Options{}); }
  ~KafkaBroker();

  const std::string& bootstrap() const { return bootstrap_; }  // "127.0.0.1:port"
  uint16_t proxied_port() const {
    return proxied_port_;
  }  // clients that come here are told the proxy's address

  Status Start();  // after Stop or Kill; returns once the broker answers
  Status Stop();   // SIGTERM: an orderly shutdown
  void Kill();     // SIGKILL
  void Pause();    // SIGSTOP: connections stay open, nobody answers
  void Resume();   // SIGCONT

  std::string Log() const;  // the end of what the broker printed, for a failed test's message

 private:
  KafkaBroker() = default;
  Status Configure(const Options& options);
  Status Format();
  Status AwaitAnswer();

  TempDir dir_;
  std::string libs_;
  std::string bootstrap_;
  uint16_t port_ = 0;
  uint16_t proxied_port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace freshet
