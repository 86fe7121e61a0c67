#include "engine/cli/signals.h"

#include <atomic>
#include <csignal>

#include <unistd.h>

#include "engine/cli/exit.h"

namespace freshet {
namespace {

StopSignal stop_signal;  // a signal handler can reach nothing else
std::atomic<int> signals_taken{0};

// Two threads may be here at once.
extern "C" void OnSignal(int /*signal*/) {
  if (signals_taken.fetch_add(1) > 0) _exit(kFailed);
  stop_signal.Request();
}

}  // namespace

const StopSignal& StopOnSignals() {
  struct sigaction action {};  // without SA_RESTART
  action.sa_handler = OnSignal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  return stop_signal;
}

}  // namespace freshet
