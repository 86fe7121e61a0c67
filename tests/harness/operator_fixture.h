#pragma once
// Runs one operator without the runtime: parses its body, binds it over given streams, feeds it rows cut in
// any way, fires its timers, commits and restores its state, and keeps what it emits as plain values. One
// thread.
//
// Always: what breaks the operator's contract (ordinals that fall, columns that differ from the plan's, rows
// that go out at once though it was said that they do not, a failed Status) is a failure of the running test.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/operator/definition.h"

namespace freshet {

// A value out of a batch; monostate is null. Timestamps and durations are int64.
using Cell = std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<double>,
                          std::vector<std::string>>;
inline constexpr std::monostate kNull{};
std::string ToText(const Cell& cell);

struct FixtureRow {
  size_t port = 0;
  Time time = 0;
  std::vector<Cell> cells;
  Time watermark = kMinTime;  // of the task, just before this row
};

struct EmittedRow {
  size_t port = 0;
  Time time = 0;
  int64_t cause = -1;  // the number of the row that caused it, counted over all rows fed; -1: a timer
  std::vector<Cell> cells;
  bool operator==(const EmittedRow&) const = default;
};
std::ostream& operator<<(std::ostream& out, const EmittedRow& row);

struct DeadLetterRow {
  int64_t cause = -1;
  std::string reason;
  std::string detail;
  bool operator==(const DeadLetterRow&) const = default;
};

// Sets each row's watermark as a task with `ports` inputs has it: the least, over its inputs, of the highest
// time seen less `out_of_orderness`.
void RunWatermarks(std::span<FixtureRow> rows, size_t ports, Duration out_of_orderness);

struct FixtureOptions {
  std::string models;                           // the map under `models:`
  const ShapeBase* model_shape = nullptr;       // of its bodies
  std::map<size_t, Duration> out_of_orderness;  // by port; default 0
  // Default: everything is read.
  std::function<bool(size_t port, size_t column)> is_read;
  size_t part = 0;  // which of the models an operator that trains several is made for
  int64_t cache_bytes = 64 << 20;
  uint32_t shards = 1;  // over which the rows of an operator with a key lie
};

class OperatorFixture {
 public:
  static constexpr size_t kWhole = SIZE_MAX;

  // `body`: the operator's map without `type:`. `streams`: what its ports may name.
  OperatorFixture(const Definition& definition, std::string_view body, const Named<Schema>& streams,
                  FixtureOptions options = {});
  ~OperatorFixture();
  OperatorFixture(const OperatorFixture&) = delete;
  OperatorFixture& operator=(const OperatorFixture&) = delete;

  // Whether the body was clean; if not, nothing below may be called but diagnostics().
  bool ok() const;
  std::string diagnostics()
      const;  // "job.yaml:1:7: …", one a line, warnings too; body's first line is line 1
  const Plan& plan() const;
  const Schema& schema(size_t port = 0) const;  // of an output

  // Feeds `rows` in batches of at most `cut`, cut too where the port changes and where a timer falls due, or
  // may by the plan's bounds; what is due fires first.
  void Feed(std::span<const FixtureRow> rows, size_t cut = kWhole);
  // Fires all timers up to `watermark`; with `out`, what they emit goes there and is not collected (benches).
  void FireTimers(Time watermark);
  void FireTimers(Time watermark, Emitter& out);
  // Makes everything so far durable.
  void Commit();
  // Forgets everything since the last Commit, emitted rows too, and goes on with a fresh store and operator.
  void Restore();
  // Starts anew from what `earlier` committed, as the same operator of a changed job file does.
  void GoOnFrom(const OperatorFixture& earlier);

  const std::vector<EmittedRow>& emitted() const;
  const std::vector<DeadLetterRow>& dead_letters() const;
  // The value of column `name` of an emitted row.
  const Cell& At(const EmittedRow& row, std::string_view name) const;
  uint64_t counter(const std::string& family) const;
  std::map<std::string, double> Summarize();  // paths joined by '/'
  ModelState& model(const std::string& name);
  ExpressionFaults& faults();
  // What a restore would begin from: of every row of state shard, key and bytes. Equal for equal row
  // sequences.
  using Durable = std::map<std::pair<uint32_t, std::string>, std::string>;
  Durable durable() const;
  Pool& pool();
  // Processes one batch directly (benches): nothing is collected, timers do not fire.
  Operator& op();
  OperatorContext& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A batch of `rows` of one schema; ordinals 0, 1, ….
Batch MakeBatch(Pool& pool, const Schema& schema, std::span<const FixtureRow> rows);

}  // namespace freshet
