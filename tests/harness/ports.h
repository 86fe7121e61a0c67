#pragma once
// TCP ports of 127.0.0.1 for servers that tests start. Any thread.
#include <cstdint>

namespace freshet {

// A port nobody listens on. It lies below the range the kernel takes for outgoing connections: a client that
// tries a dead server's port of that range again and again may be given the same port and end up talking to
// itself.
uint16_t FreePort();

// Connects to 127.0.0.1:port; a blocking socket, or -1.
int ConnectTo(uint16_t port);
// Listens on 127.0.0.1:port; a blocking socket, or -1 when the port is taken.
int ListenOn(uint16_t port);

}  // namespace freshet
