#pragma once
// A log in memory with faults from a seed, for tests that need what a broker does at its worst, repeatably
// and in milliseconds. Offsets are laid out as Kafka's: the marker of a commit or an abort takes one offset
// in each partition that the transaction wrote, aborted records keep theirs.
//
// Any thread (see log.h for consumers and producers); the faults of a seed repeat only where calls come in
// the same order, so from one thread. Time is virtual: it stands still until Advance, or until a Poll that
// has nothing to tell, which moves it on to the moment a delayed fetch comes, or by its time-out, and returns
// at once.
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/log/log.h"

namespace freshet {

class SimulatedState;

// Probabilities in [0, 1], each drawn anew at every fetch or commit.
struct SimulatedFaults {
  double delayed_fetch = 0;    // records are known to be there but come some milliseconds later
  double aborted_commit = 0;   // kAborted, and nothing was committed
  double commit_in_doubt = 0;  // kInDoubt, and by another draw all was committed or nothing
  double fenced = 0;           // kFenced, as if another producer had taken the transactional id
};

// What stands behind simulated logs: topics, transactions, positions and groups, which survive the logs.
// Must outlive everything opened on it.
class SimulatedBroker {
 public:
  static constexpr Time kStart = 1'704'067'200 * kSecond;  // 2024-01-01
  explicit SimulatedBroker(uint64_t seed, Time start = kStart);
  ~SimulatedBroker();
  SimulatedBroker(const SimulatedBroker&) = delete;
  SimulatedBroker& operator=(const SimulatedBroker&) = delete;

  void set_faults(const SimulatedFaults& faults);
  // Called without locks in each Commit that would take place: before anything of it happened, and once it
  // stands. May call Crash; may throw what the test catches.
  void set_at_commit(std::function<void(bool before)> hook);

  // Asked, under the lock, for each record sent in a transaction: what Send answers.
  void set_at_send(std::function<Status(const OutgoingRecord& record)> hook);

  // The process that uses the broker dies: every log, consumer and producer open now answers kUnreachable
  // from here on and can only be destroyed. Their transactions stay open until a successor's Init or their
  // time-out, their members stay in their groups until the session's time-out.
  void Crash();

  const Clock& clock() const;  // any thread
  void Advance(Duration by);
  // Of each key below the last stable offset the last record stays; tombstones go after a day.
  Status Compact(std::string_view topic);

  SimulatedState& state() { return *state_; }

 private:
  std::unique_ptr<SimulatedState> state_;
};

std::unique_ptr<Log> OpenSimulatedLog(SimulatedBroker& broker);

}  // namespace freshet
