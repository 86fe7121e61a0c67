#pragma once
// Kills a run of the flights again and again, at random, and starts it anew until it is done. One thread, the
// main one.
#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "tests/fault/flights.h"

namespace freshet {

// Where a SIGKILL at a mark fell.
struct Kill {
  uint64_t mark = 0;      // rows of the month behind the run that it waited for
  uint64_t position = 0;  // rows behind it when it died, as far as it had told
  bool between = false;   // after the run's first commit and before its last
  Duration restart = 0;   // from the next start at a mark to its first commit; 0: it ended before that
};

// Kills `run` `kills` times, each when its progress passes a random mark of the month, and lets the last
// start finish. Halfway it is killed once more while it is starting: that one has no mark and is not counted.
// Marks and delays come from `random`. Prints each.
std::vector<Kill> KillAgainAndAgain(FlightsRun& run, uint64_t total_rows, int kills, Random& random);

}  // namespace freshet
