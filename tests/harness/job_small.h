#pragma once
// Small jobs: one that exercises what the runtime must keep in order (two sources in one confluence, keys
// that change twice, windows, a side condition, a model that learns) with random rows for it, and the
// smallest that keeps state. Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/job_fixture.h"

namespace freshet {

// Sources `events` {id, key, other, t, x, rank} and `clicks` {id, key, t, score}; sinks `large`, `learnt`;
// model `m`.
std::string_view SmallJob();
// The same sources; predictions join their labels (`clicks`) minutes later, two models learn from the join
// and are evaluated beside baselines.
std::string_view JoiningJob();
// The same, with a shorter wait, and labels after it that correct.
std::string_view CorrectingJob();

// Source `events` {id, t}, of which it counts each id's rows; sink `out`, a record for each row.
std::string_view CountingJob();
// A row of it. `time`: of day.
JobRecord CountingRow(std::string_view id, std::string_view time = "00:00:00");

struct SmallRows {
  uint64_t seed = 1;
  size_t events = 300;
  int32_t event_partitions = 2;
  int32_t click_partitions = 1;
  size_t bad_one_in = 0;  // 0: no bad records
};
// Rows of each partition come up to a few seconds out of order; many times are equal across sources.
std::vector<JobInput> MakeRows(const SmallRows& rows);

}  // namespace freshet
