#include <string>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/line_output.h"
#include "engine/cli/signals.h"
#include "engine/cli/tx_events.h"

namespace freshet {

int GenerateCommand(const CommandLine& line) {
  if (line.operands[0] != "tx")
    return Refuse(Invalid("there are no events of the kind `" + line.operands[0] + "`; there are: tx"));
  const StopSignal& stop = StopOnSignals();
  TxEvents events(line.tx);
  LineOutput out(stop);
  std::string event;
  Status status;
  int64_t made = 0;
  for (; made < line.events && status.ok() && !stop.requested(); ++made) {
    event.clear();
    events.Append(event);
    status = out.Add(event);
  }
  if (status.ok()) status = out.Flush();
  if (stop.requested() && made < line.events)
    return Fail({Code::kCancelled,
                 "stopped before event " + std::to_string(made) + " of " + std::to_string(line.events)});
  return status.ok() || status.code() == Code::kCancelled ? kDone : Fail(status);
}

}  // namespace freshet
