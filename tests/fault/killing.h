#pragma once
// Kills a run of the flights again and again, at random, and starts it anew until it is done. One thread, the
// main one.
#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "tests/fault/flights.h"

namespace freshet {

// Where a SIGKILL fell.
struct Kill {
  bool starting = false;  // before that start had committed anything
  uint64_t mark = 0;      // rows of the month behind it that it waited for; starting: microseconds
  uint64_t position = 0;  // rows behind it when it died, as far as it had told
  bool between = false;   // after the run's first commit and before its last
  Duration restart = 0;   // from the next start to that start's first commit; 0: it was killed before that
};

// Kills `run` `kills` times over the month, one of them (if more than two) while it is starting, and lets the
// last start finish; marks and delays come from `random`. Prints each.
std::vector<Kill> KillAgainAndAgain(FlightsRun& run, uint64_t total_rows, int kills, Random& random);

}  // namespace freshet
