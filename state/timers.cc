#include "state/timers.h"

#include <set>
#include <utility>

#include "engine/base/bytes.h"
#include "state/table_cache.h"
#include "state/task_store.h"

namespace freshet {

namespace {

constexpr size_t kReadAhead = 1024;       // timers read from the table at once
constexpr size_t kKept = 8 * kReadAhead;  // and at most so many kept in memory

// A row's key; its value is empty. Byte order is firing order.
void AppendKey(Time time, uint32_t place, std::string_view key, std::string& out) {
  AppendOrdered(time, out);
  AppendOrdered(int64_t{place}, out);
  out.append(key);
}

bool ReadKey(std::string_view row, DueTimer& timer) {
  int64_t place = 0;
  if (!TakeOrdered(row, timer.time) || !TakeOrdered(row, place) || place < 0 || place > UINT32_MAX)
    return false;
  timer.place = static_cast<uint32_t>(place);
  timer.key = row;
  return true;
}

}  // namespace

// `first` holds every timer before `horizon`, so what is not in it and before the horizon is known not to
// exist; the rest is in the table only. Nothing was read yet: the horizon lies before all.
struct TaskTimers::Impl {
  explicit Impl(TableCache& timers) : table(timers) {}
  TableCache& table;
  std::set<DueTimer> first;
  std::string horizon;  // a row key
  bool all = false;     // no horizon: `first` is everything
  std::string row;      // scratch

  std::string_view RowOf(Time time, uint32_t place, std::string_view key) {
    row.clear();
    AppendKey(time, place, key, row);
    return row;
  }
  bool IsKept(std::string_view row_key) const { return all || row_key < horizon; }
  Status ReadOn();
  void DropLast();
};

// Fetches the next ones from the horizon on.
Status TaskTimers::Impl::ReadOn() {
  bool damaged = false;
  bool more = false;
  size_t read = 0;
  const Status status = table.Scan(horizon, {}, [&](std::string_view key, std::string_view) {
    if (read == kReadAhead) {
      row = key;
      more = true;
      return false;
    }
    DueTimer timer;
    if (!ReadKey(key, timer)) {
      damaged = true;
      return false;
    }
    first.insert(first.end(), std::move(timer));
    ++read;
    return true;
  });
  if (!status.ok()) return status;
  if (damaged) {
    return {Code::kCorrupt,
            "a row of the timers' table is no timer: remove the state directory, and it is rebuilt from "
            "the changelog"};
  }
  all = !more;
  if (more) horizon = row;
  return {};
}

// Far timers go back to being in the table only.
void TaskTimers::Impl::DropLast() {
  while (first.size() > kReadAhead) {
    auto last = std::prev(first.end());
    if (first.size() == kReadAhead + 1) {
      horizon.clear();
      AppendKey(last->time, last->place, last->key, horizon);
    }
    first.erase(last);
  }
  all = false;
}

TaskTimers::TaskTimers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaskTimers::~TaskTimers() = default;

Result<std::unique_ptr<TaskTimers>> TaskTimers::Open(TaskStore& store) {
  Result<RawTable*> table = store.Declare({.name = "timers", .layout = 1, .ordered = true, .width = 0});
  if (!table.ok()) return table.status();
  return std::unique_ptr<TaskTimers>(new TaskTimers(std::make_unique<Impl>(*(*table)->cache_)));
}

Status TaskTimers::Set(Time time, uint32_t place, std::string_view key) {
  Impl& me = *impl_;
  const std::string_view row = me.RowOf(time, place, key);
  const bool kept = me.IsKept(row);
  if (kept && !me.first.insert(DueTimer{time, place, std::string(key)}).second) return {};
  me.table.Overwrite(row, {}, !kept);
  if (me.first.size() > kKept) me.DropLast();
  return {};
}

Status TaskTimers::Cancel(Time time, uint32_t place, std::string_view key) {
  Impl& me = *impl_;
  const std::string_view row = me.RowOf(time, place, key);
  if (me.IsKept(row) && me.first.erase(DueTimer{time, place, std::string(key)}) == 0) return {};
  me.table.Remove(row);
  return {};
}

Result<const DueTimer*> TaskTimers::First() {
  Impl& me = *impl_;
  if (me.first.empty() && !me.all) {
    if (Status s = me.ReadOn(); !s.ok()) return s;
  }
  return me.first.empty() ? nullptr : &*me.first.begin();
}

Status TaskTimers::Pop() {
  Impl& me = *impl_;
  if (me.first.empty()) return Internal("a timer is taken although none is due");
  const auto due = me.first.begin();
  me.table.Remove(me.RowOf(due->time, due->place, due->key));
  me.first.erase(due);
  return {};
}

}  // namespace freshet
