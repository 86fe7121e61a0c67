#include "state/timers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "state/key_order.h"
#include "state/table_cache.h"
#include "state/task_store.h"

namespace freshet {

namespace {

// The timers that all tasks of a lane keep in memory take an eighth of its cache. Of these a task's part:
constexpr int64_t kPartOfCache = 8;
constexpr int64_t kTimerCost = 256;  // a row of some 40 bytes, its entry, its place in the order and the heap
constexpr size_t kLeastKept = 256;
constexpr size_t kMostKept = 8192;
constexpr size_t kReadAhead = 8;    // so many times fewer are read from the table at once
constexpr size_t kMostAbsent = 64;  // cancelled ones among these are worth no sweep

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
  timer.key.assign(row);
  return true;
}

}  // namespace

// A binary heap of the rows of every timer before `horizon`, which the table holds in memory: so what is not
// held there and before the horizon is known not to exist; the rest is in the table only. A cancelled timer's
// row stays in the heap, absent, until it comes first, the timer is set again, or such rows are the most.
// Nothing was read yet: the horizon lies before all.
struct TaskTimers::Impl {
  using Slot = RawTable::Slot;
  struct Waiting {
    uint64_t prefix = 0;  // of the row's key: its time
    Slot row;
  };

  explicit Impl(TableCache& timers) : table(timers), budget(timers.budget()), drops(timers.drops()) {}
  ~Impl() {
    if (counted) --budget.timers;
  }
  TableCache& table;
  CacheBudget& budget;
  uint64_t drops;  // of the table, when last asked: what was held before is not any more
  std::vector<Waiting> heap;
  size_t absent = 0;    // of the heap
  std::string horizon;  // a row key
  bool all = false;     // no horizon: the heap is everything
  DueTimer due;         // `due_known`: the first of the heap, which is present
  bool due_known = false;
  std::vector<uint32_t>* changed = nullptr;  // null: nobody is told
  uint32_t number = 0;
  bool told = false;     // since Heard
  bool counted = false;  // among those that share the budget: once there has been a timer
  std::string row;       // scratch
  KeyColumn read;        // scratch

  std::string_view RowOf(Time time, uint32_t place, std::string_view key) {
    row.clear();
    AppendKey(time, place, key, row);
    return row;
  }
  // How many timers may be kept in memory.
  size_t Most() const {
    const int64_t part = budget.limit / kPartOfCache / std::max<int64_t>(budget.timers, 1);
    return std::clamp(static_cast<size_t>(std::max<int64_t>(part, 0) / kTimerCost), kLeastKept, kMostKept);
  }
  bool IsKept(std::string_view row_key) const { return all || row_key < horizon; }
  // For the heap of the standard library, whose first is the greatest.
  auto Later() const {
    return [this](const Waiting& a, const Waiting& b) {
      return a.prefix != b.prefix ? a.prefix > b.prefix : table.KeyOf(a.row) > table.KeyOf(b.row);
    };
  }
  bool ComesAfterDue(Time time) const { return due_known && time > due.time; }
  // The first timer may be another one from now on.
  void Change() {
    due_known = false;
    if (changed != nullptr && !std::exchange(told, true)) changed->push_back(number);
  }
  void Begin();
  void Push(std::string_view row_key, Slot slot);
  void TakeFirst();
  void DropAbsent();
  Status ReadOn();
  void DropLast();
};

// Every call begins so.
void TaskTimers::Impl::Begin() {
  if (drops == table.drops()) return;
  drops = table.drops();
  heap.clear();
  absent = 0;
  horizon.clear();
  all = false;
  Change();
}

void TaskTimers::Impl::Push(std::string_view row_key, Slot slot) {
  if (!std::exchange(counted, true)) ++budget.timers;
  heap.push_back({KeyPrefix(row_key), slot});
  std::push_heap(heap.begin(), heap.end(), Later());
}

void TaskTimers::Impl::TakeFirst() {
  std::pop_heap(heap.begin(), heap.end(), Later());
  table.LetGo(heap.back().row);
  heap.pop_back();
}

void TaskTimers::Impl::DropAbsent() {
  std::erase_if(heap, [this](const Waiting& waiting) {
    if (waiting.row.present()) return false;
    table.LetGo(waiting.row);
    return true;
  });
  std::make_heap(heap.begin(), heap.end(), Later());
  absent = 0;
}

// Fetches the next ones from the horizon on.
Status TaskTimers::Impl::ReadOn() {
  bool damaged = false;
  bool more = false;
  DueTimer timer;
  const size_t at_once = Most() / kReadAhead;
  read.Clear();
  const Status status = table.Scan(horizon, {}, [&](std::string_view key, std::string_view) {
    if (read.size() == at_once) {
      row = key;
      more = true;
      return false;
    }
    damaged = !ReadKey(key, timer);
    read.Add(key);
    return !damaged;
  });
  if (!status.ok()) return status;
  if (damaged) {
    return {Code::kCorrupt,
            "a row of the timers' table is no timer: remove the state directory, and it is rebuilt from "
            "the changelog"};
  }
  for (size_t i = 0; i < read.size(); ++i) {
    Slot slot;
    if (table.Hold(read[i], true, slot)) Push(read[i], slot);
  }
  all = !more;
  if (more) horizon = row;
  return {};
}

// Far timers go back to being in the table only.
void TaskTimers::Impl::DropLast() {
  DropAbsent();
  const size_t most = Most();
  if (heap.size() <= most) return;
  const auto earlier = [later = Later()](const Waiting& a, const Waiting& b) { return later(b, a); };
  const auto last = heap.begin() + static_cast<ptrdiff_t>(most / kReadAhead);
  std::nth_element(heap.begin(), last, heap.end(), earlier);
  horizon = table.KeyOf(last->row);
  for (auto waiting = last; waiting != heap.end(); ++waiting)
    table.LetGo(waiting->row);
  heap.erase(last, heap.end());
  std::make_heap(heap.begin(), heap.end(), Later());
  all = false;
}

TaskTimers::TaskTimers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaskTimers::~TaskTimers() = default;

Result<std::unique_ptr<TaskTimers>> TaskTimers::Open(TaskStore& store) {
  Result<RawTable*> table = store.Declare({.name = "timers", .layout = 1, .ordered = true, .width = 0});
  if (!table.ok()) return table.status();
  return std::unique_ptr<TaskTimers>(new TaskTimers(std::make_unique<Impl>(*(*table)->cache_)));
}

void TaskTimers::Report(std::vector<uint32_t>& changed, uint32_t number) {
  impl_->changed = &changed;
  impl_->number = number;
}

void TaskTimers::Heard() {
  impl_->told = false;
}

Status TaskTimers::Set(Time time, uint32_t place, std::string_view key) {
  Impl& me = *impl_;
  me.Begin();
  const std::string_view row = me.RowOf(time, place, key);
  if (!me.IsKept(row)) {
    me.table.Overwrite(row, {}, true);
    if (!me.due_known) me.Change();
    return {};
  }
  RawTable::Slot slot;
  const bool is_new = me.table.Hold(row, false, slot);
  const bool was_set = slot.present();
  if (!was_set) me.table.Edit(slot, 0);
  if (is_new) {
    me.Push(row, slot);
  } else if (!was_set) {
    --me.absent;
  }
  if (!was_set && !me.ComesAfterDue(time)) me.Change();
  if (me.heap.size() > me.Most()) me.DropLast();
  return {};
}

Status TaskTimers::Cancel(Time time, uint32_t place, std::string_view key) {
  Impl& me = *impl_;
  me.Begin();
  const std::string_view row = me.RowOf(time, place, key);
  if (!me.IsKept(row)) {
    me.table.Remove(row);
    return {};
  }
  RawTable::Slot slot;
  if (!me.table.Peek(row, slot) || !slot.present()) return {};
  me.table.Erase(slot);
  if (!me.ComesAfterDue(time)) me.Change();
  if (++me.absent > kMostAbsent && 2 * me.absent > me.heap.size()) me.DropAbsent();
  return {};
}

Result<const DueTimer*> TaskTimers::First() {
  Impl& me = *impl_;
  me.Begin();
  if (me.due_known) return &me.due;
  while (!me.heap.empty() && !me.heap.front().row.present()) {
    me.TakeFirst();
    --me.absent;
  }
  if (me.heap.empty() && !me.all) {
    if (Status s = me.ReadOn(); !s.ok()) return s;
  }
  if (me.heap.empty()) return nullptr;
  me.due_known = ReadKey(me.table.KeyOf(me.heap.front().row), me.due);
  return me.due_known ? &me.due : nullptr;
}

Status TaskTimers::Pop(DueTimer* taken) {
  Impl& me = *impl_;
  const Result<const DueTimer*> first = First();
  if (!first.ok()) return first.status();
  if (*first == nullptr) return Internal("a timer is taken although none is due");
  if (taken != nullptr) *taken = std::move(me.due);
  me.Change();
  me.table.Erase(me.heap.front().row);
  me.TakeFirst();
  return {};
}

}  // namespace freshet
