#pragma once
// SIGTERM and SIGINT of the commands that work until they are told to end. Main thread.
#include "engine/runtime/lane.h"

namespace freshet {

// From here on the first signal asks for an orderly end, and a write that waits for its reader is given up
// (EINTR); a second one leaves at once, as a crash would: nothing committed is lost.
const StopSignal& StopOnSignals();

}  // namespace freshet
