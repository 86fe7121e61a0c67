#pragma once
// Operators at run time. An operator belongs to one lane and is called by one thread: no locks, no clock, no
// I/O. It runs once for all the tasks that the lane has of its stage; what it keeps of a key is in the tables
// and timers of that key's shard. What must survive lives there or in model arrays, so there is nothing to
// save or load.
//
// Always: what an operator emits and writes is a function of the rows, timers and watermarks it was given, in
// their order, never of where a batch, an epoch or a timer call was cut.
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/data/batch.h"
#include "engine/expression/expression.h"
#include "engine/metrics/counter.h"
#include "engine/operator/model_state.h"
#include "state/keyed_table.h"
#include "state/timers.h"

namespace freshet {

class Emitter {
 public:
  // Port 0 is the main output, then the side outputs in the order of Plan::outputs. Each emitted row carries
  // the ordinal of the row that caused it, and within one Process call ordinals never fall.
  virtual void Emit(size_t port, Batch rows) = 0;

 protected:
  ~Emitter() = default;
};

// Figures for `--summary`, by path: {"models", "with_delay", "log_loss"}.
class Report {
 public:
  virtual void Number(std::initializer_list<std::string_view> path, double value) = 0;

 protected:
  ~Report() = default;
};

class Operator {
 public:
  virtual ~Operator() = default;
  // Reads what was left in the tables of `shard`. Called once for each, before its first row or timer; models
  // are not there yet.
  virtual Status Open(uint32_t shard);
  // Rows of input `port`, in order. A failed Status means a broken invariant or store, never a bad row.
  virtual Status Process(size_t port, const Batch& in, Emitter& out) = 0;
  // A timer of this operator is due: the stage's watermark has reached its time. Called one timer at a time,
  // in the order of DueTimer. The timer is already gone.
  virtual Status OnTimer(const DueTimer& timer, Emitter& out);
  // Of an input whose Plan says kSometimes: rows of it at event times up to this one may emit at once, later
  // ones do not, until a row of another input comes. kMinTime: none does; kMaxTime: any may.
  virtual Time EmitsAtOnceUntil(size_t port) const;
  // Figures over the whole run so far.
  virtual Status Summarize(Report& report);
};

// The only door from an operator to the engine. Lives as long as the operator.
class OperatorContext {
 public:
  virtual ~OperatorContext() = default;
  virtual Pool& pool() = 0;
  // A table the operator's Plan declared. Where rows come by key, whichever shard it is of:
  virtual KeyedTable& keyed_state(std::string_view table) = 0;
  // Where they do not, and the stage has one task:
  virtual RawTable& raw_state(std::string_view table) = 0;
  virtual Timers timers() = 0;
  // The arrays of a model: to be written only by the operator whose Plan says it trains it.
  virtual ModelState& model(std::string_view name) = 0;
  // A count shown in --summary and /metrics as <family>{operator="…"}.
  virtual Counter& counter(std::string_view family) = 0;
  virtual ExpressionFaults& faults() = 0;
  // Sends a row to the job's dead letters, in this epoch. `reason` is one of a small closed set of words.
  virtual void DeadLetter(const Batch& batch, size_t row, std::string_view reason,
                          std::string_view detail) = 0;
  // The shard of each row of the batch that is being processed. Valid until the call ends.
  virtual std::span<const uint32_t> shards() = 0;
  // The watermark of that shard's task just before the row of that ordinal, in the batch that is being
  // processed. In OnTimer: the timer's time.
  virtual Time WatermarkBefore(uint32_t shard, uint32_t ordinal) const = 0;
  // Whether anything downstream reads column `column` of output `port`; what is not read need not be kept.
  virtual bool is_read(size_t port, size_t column) const = 0;
};

}  // namespace freshet
