#pragma once
// A TCP proxy on 127.0.0.1 that makes the network bad: it delays, stalls and cuts. Its own thread carries the
// bytes; members may be called from any thread and have taken effect when they return.
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/time.h"

namespace freshet {

class TcpProxy {
 public:
  TcpProxy();  // listens at once; connections are closed until Forward is called
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  uint16_t port() const;
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  void Forward(uint16_t port);    // where connections from now on lead
  void Delay(Duration each_way);  // bytes read from now on arrive so much later; 0: at once
  void Stall();                   // connections stay open and bytes wait, until Resume
  void Cut();                     // resets all connections and every new one, until Resume
  void Resume();                  // ends Stall and Cut

  int connections() const;    // open now
  int64_t forwarded() const;  // bytes passed on, both ways

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace freshet
