#include "engine/data/batch.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <memory>
#include <new>

namespace freshet {
namespace {

enum class Kind : uint8_t {
  kColumns,  // those of the parent, if there is one, then columns of its own
  kProject,  // columns of the parent by index
  kPicks,    // rows of the inputs; a column is gathered when it is first asked for, and kept
};

}  // namespace

// One block: the node and, behind it, the arrays of its kind.
struct BatchNode : BatchHead {
  Kind kind = Kind::kColumns;
  uint32_t first = 0;   // kColumns: columns below `first` are the parent's
  uint32_t inputs = 0;  // kPicks
  bool is_run = false;  // kPicks: rows that follow one another in one input
  Pool* pool = nullptr;
  size_t bytes = 0;
  Ref<const BatchHead> parent;   // kColumns, kProject
  ColumnPtr* own = nullptr;      // kColumns: own[i - first]; kPicks: own[i] where `gathered` has bit i
  uint64_t* gathered = nullptr;  // kPicks
  Ref<const BatchHead>* input = nullptr;  // kPicks; an input without rows may be null
  Batch::Pick* picks = nullptr;           // kPicks: one a row
  uint32_t* map = nullptr;                // kProject: the parent's index of each column
};

namespace {

using Pick = Batch::Pick;
using Head = Ref<const BatchHead>;

const BatchNode& NodeOf(const BatchHead& head) {
  return static_cast<const BatchNode&>(head);
}

size_t Words(size_t bits) {
  return (bits + 63) / 64;
}

// Gives out the arrays behind a node, from the most to the least aligned.
class Arrays {
 public:
  explicit Arrays(BatchNode& node) : at_(reinterpret_cast<char*>(&node + 1)) {}
  template <class T>
  T* Next(size_t count) {
    auto* array = reinterpret_cast<T*>(at_);
    at_ += count * sizeof(T);
    return array;
  }

 private:
  char* at_;
};

BatchNode* NewNode(Pool& pool, Kind kind, size_t rows, size_t columns, size_t behind) {
  const size_t bytes = sizeof(BatchNode) + behind;
  auto* node = new (pool.Allocate(bytes)) BatchNode;
  node->kind = kind;
  node->rows = static_cast<uint32_t>(rows);
  node->columns = static_cast<uint32_t>(columns);
  node->pool = &pool;
  node->bytes = bytes;
  return node;
}

// A node of `own` columns after those of `parent`, with `marked` times and ordinals of its own to be written.
struct Marked {
  BatchNode* node;
  Time* times;
  uint32_t* ordinals;
};
Marked NewColumns(Pool& pool, const Head& parent, std::span<const ColumnPtr> own, size_t rows, bool marked) {
  const size_t marks = marked ? rows : 0;
  const size_t first = parent ? parent->columns : 0;
  BatchNode* node = NewNode(pool, Kind::kColumns, rows, first + own.size(),
                            own.size() * sizeof(ColumnPtr) + marks * (sizeof(Time) + sizeof(uint32_t)));
  Arrays arrays(*node);
  node->parent = parent;
  node->first = static_cast<uint32_t>(first);
  node->own = arrays.Next<ColumnPtr>(own.size());
  std::uninitialized_copy(own.begin(), own.end(), node->own);
  auto* times = arrays.Next<Time>(marks);
  auto* ordinals = arrays.Next<uint32_t>(marks);
  node->times = marked || !parent ? times : parent->times;
  node->ordinals = marked || !parent ? ordinals : parent->ordinals;
  return {node, times, ordinals};
}

const Column& ColumnOf(const BatchHead& head, size_t i);

// The picked values of one column of fixed width.
template <class T>
void CopyPicks(std::span<const Pick> picks, std::span<const Column* const> from, std::span<T> out) {
  if (from.size() == 1) {
    const std::span<const T> values = from[0]->values<T>();
    for (size_t row = 0; row < picks.size(); ++row)
      out[row] = values[picks[row].row];
    return;
  }
  for (size_t row = 0; row < picks.size(); ++row)
    out[row] = from[picks[row].source]->values<T>()[picks[row].row];
}

// `from`: the column of each input, null where the input has none.
ColumnPtr GatherPicks(Pool& pool, Type type, std::span<const Pick> picks,
                      std::span<const Column* const> from) {
  ColumnBuilder builder(pool, type, picks.size());
  if (IsText(type) || IsList(type)) {
    for (const Pick& pick : picks)
      builder.AppendFrom(*from[pick.source], pick.row);
    return builder.Finish();
  }
  if (type == Type::kBool) {
    CopyPicks(picks, from, builder.Fill<uint8_t>(picks.size()));
  } else {
    CopyPicks(picks, from, builder.Fill<int64_t>(picks.size()));
  }
  const bool all_valid =
      std::all_of(from.begin(), from.end(), [](const Column* c) { return c == nullptr || c->all_valid(); });
  for (size_t row = 0; !all_valid && row < picks.size(); ++row) {
    if (!from[picks[row].source]->valid(picks[row].row)) builder.SetNull(row);
  }
  return builder.Finish();
}

const Column& Keep(const BatchNode& node, size_t i, ColumnPtr column) {
  new (&node.own[i]) ColumnPtr(std::move(column));
  node.gathered[i / 64] |= uint64_t{1} << (i % 64);
  return *node.own[i];
}

const Column& GatherInto(const BatchNode& node, size_t i) {
  if (node.is_run) {
    const Pick& first = node.picks[0];
    return Keep(node, i, Slice(*node.pool, ColumnOf(*node.input[first.source], i), first.row, node.rows));
  }
  constexpr size_t kFew = 16;
  const Column* few[kFew];
  const size_t bytes = node.inputs * sizeof(void*);
  const Column** from = node.inputs <= kFew ? few : static_cast<const Column**>(node.pool->Allocate(bytes));
  const Column* any = nullptr;
  for (size_t s = 0; s < node.inputs; ++s) {
    from[s] = node.input[s] ? &ColumnOf(*node.input[s], i) : nullptr;
    if (any == nullptr) any = from[s];
  }
  ColumnPtr gathered = GatherPicks(*node.pool, any->type(), {node.picks, node.rows}, {from, node.inputs});
  if (from != few) node.pool->Free(from, bytes);
  return Keep(node, i, std::move(gathered));
}

const Column& ColumnOf(const BatchHead& head, size_t i) {
  const BatchNode* node = &NodeOf(head);
  while (node->kind != Kind::kPicks) {
    if (node->kind == Kind::kProject) {
      i = node->map[i];
    } else if (i >= node->first) {
      return *node->own[i - node->first];
    }
    node = &NodeOf(*node->parent);
  }
  if ((node->gathered[i / 64] >> (i % 64) & 1) != 0) return *node->own[i];
  return GatherInto(*node, i);
}

// A node of `rows` picks, still to be written, and its marks.
struct Picked {
  BatchNode* node;
  Time* times;
  uint32_t* ordinals;
};
Picked NewPicks(Pool& pool, size_t rows, size_t columns, size_t inputs) {
  BatchNode* node =
      NewNode(pool, Kind::kPicks, rows, columns,
              columns * sizeof(ColumnPtr) + Words(columns) * sizeof(uint64_t) + inputs * sizeof(Head) +
                  rows * (sizeof(Time) + sizeof(Pick) + sizeof(uint32_t)));
  Arrays arrays(*node);
  node->own = arrays.Next<ColumnPtr>(columns);
  node->gathered = arrays.Next<uint64_t>(Words(columns));
  std::memset(node->gathered, 0, Words(columns) * sizeof(uint64_t));
  node->inputs = static_cast<uint32_t>(inputs);
  node->input = arrays.Next<Head>(inputs);
  std::uninitialized_default_construct_n(node->input, inputs);
  auto* times = arrays.Next<Time>(rows);
  node->picks = arrays.Next<Pick>(rows);
  auto* ordinals = arrays.Next<uint32_t>(rows);
  node->times = times;
  node->ordinals = ordinals;
  return {node, times, ordinals};
}

bool IsRun(std::span<const Pick> picks) {
  for (size_t i = 1; i < picks.size(); ++i) {
    if (picks[i].source != picks[0].source || picks[i].row != picks[0].row + i) return false;
  }
  return !picks.empty();
}

}  // namespace

void BatchHead::Release() const {
  auto* node = const_cast<BatchNode*>(&NodeOf(*this));
  if (node->kind == Kind::kColumns) {
    std::destroy_n(node->own, node->columns - node->first);
  } else if (node->kind == Kind::kPicks) {
    for (size_t word = 0; word < Words(node->columns); ++word) {
      for (uint64_t bits = node->gathered[word]; bits != 0; bits &= bits - 1) {
        std::destroy_at(&node->own[word * 64 + static_cast<size_t>(std::countr_zero(bits))]);
      }
    }
    std::destroy_n(node->input, node->inputs);
  }
  Pool* pool = node->pool;
  const size_t bytes = node->bytes;
  node->~BatchNode();
  pool->Free(node, bytes);
}

Batch Batch::Make(Pool& pool, std::span<const ColumnPtr> columns, std::span<const Time> times,
                  std::span<const uint32_t> ordinals) {
  assert(times.size() == ordinals.size());
  const Marked made = NewColumns(pool, {}, columns, times.size(), true);
  std::copy(times.begin(), times.end(), made.times);
  std::copy(ordinals.begin(), ordinals.end(), made.ordinals);
  return Batch(Head(made.node));
}

const Column& Batch::column(size_t i) const {
  assert(i < columns());
  return ColumnOf(*head_, i);
}

// From the last on: those left lie no nearer than the node that held this one.
void Batch::Columns(std::span<const size_t> which, std::span<const Column*> out) const {
  const BatchHead* head = head_.get();
  for (size_t k = which.size(); k-- > 0;) {
    while (NodeOf(*head).kind == Kind::kColumns && which[k] < NodeOf(*head).first)
      head = NodeOf(*head).parent.get();
    out[k] = &ColumnOf(*head, which[k]);
  }
}

Batch Batch::With(Pool& pool, std::span<const ColumnPtr> added) const {
  return Batch(Head(NewColumns(pool, head_, added, rows(), false).node));
}

Batch Batch::Project(Pool& pool, std::span<const size_t> columns) const {
  if (!head_) return {};
  BatchNode* node = NewNode(pool, Kind::kProject, rows(), columns.size(), columns.size() * sizeof(uint32_t));
  node->parent = head_;
  node->times = head_->times;
  node->ordinals = head_->ordinals;
  node->map = Arrays(*node).Next<uint32_t>(columns.size());
  for (size_t i = 0; i < columns.size(); ++i)
    node->map[i] = static_cast<uint32_t>(columns[i]);
  return Batch(Head(node));
}

Batch Batch::At(Pool& pool, std::span<const Time> times) const {
  assert(times.size() == rows());
  const Marked made = NewColumns(pool, head_, {}, rows(), true);
  std::copy(times.begin(), times.end(), made.times);
  std::copy(ordinals().begin(), ordinals().end(), made.ordinals);
  return Batch(Head(made.node));
}

Batch Batch::Numbered(Pool& pool) const {
  const Marked made = NewColumns(pool, head_, {}, rows(), true);
  std::copy(times().begin(), times().end(), made.times);
  for (uint32_t row = 0; row < rows(); ++row)
    made.ordinals[row] = row;
  return Batch(Head(made.node));
}

Batch Batch::Take(Pool& pool, std::span<const uint32_t> rows) const {
  if (!head_) return {};
  bool all = rows.size() == this->rows();
  for (size_t i = 0; all && i < rows.size(); ++i)
    all = rows[i] == i;
  if (all) return *this;
  // Picks of picks are picks of what those were made from: however long the chain, a value is copied once.
  const BatchNode& from = NodeOf(*head_);
  const bool composed = from.kind == Kind::kPicks;
  const size_t inputs = composed ? from.inputs : 1;
  const Picked made = NewPicks(pool, rows.size(), columns(), inputs);
  for (size_t s = 0; s < inputs; ++s)
    made.node->input[s] = composed ? from.input[s] : head_;
  for (size_t i = 0; i < rows.size(); ++i) {
    assert(rows[i] < this->rows());
    made.times[i] = from.times[rows[i]];
    made.ordinals[i] = from.ordinals[rows[i]];
    made.node->picks[i] = composed ? from.picks[rows[i]] : Pick{0, rows[i]};
  }
  made.node->is_run = IsRun({made.node->picks, rows.size()});
  return Batch(Head(made.node));
}

Batch Batch::Merge(Pool& pool, std::span<const Batch> sources, std::span<const Pick> picks) {
  const auto some =
      std::find_if(sources.begin(), sources.end(), [](const Batch& b) { return b.columns() > 0; });
  const size_t columns = some == sources.end() ? 0 : some->columns();
  const Picked made = NewPicks(pool, picks.size(), columns, sources.size());
  for (size_t s = 0; s < sources.size(); ++s)
    made.node->input[s] = sources[s].head_;
  for (size_t i = 0; i < picks.size(); ++i) {
    const Batch& from = sources[picks[i].source];
    assert(picks[i].row < from.rows() && from.columns() == columns);
    made.times[i] = from.head_->times[picks[i].row];
    made.ordinals[i] = from.head_->ordinals[picks[i].row];
    made.node->picks[i] = picks[i];
  }
  made.node->is_run = IsRun(picks);
  return Batch(Head(made.node));
}

namespace {

// Whether ordinals rise from row to row, as they do unless a timer caused rows after others.
bool Rises(const Batch& batch) {
  return std::is_sorted(batch.ordinals().begin(), batch.ordinals().end());
}

// Of sources whose ordinals rise: always the least ordinal next, of equal ones that of the first source.
void MergeRising(std::span<const Batch> sources, std::span<uint32_t> next, std::span<Pick> picks) {
  for (Pick& pick : picks) {
    size_t least = sources.size();
    for (size_t s = 0; s < sources.size(); ++s) {
      if (next[s] == sources[s].rows()) continue;
      if (least == sources.size() || sources[s].ordinals()[next[s]] < sources[least].ordinals()[next[least]])
        least = s;
    }
    pick = {static_cast<uint32_t>(least), next[least]++};
  }
}

void MergeAny(std::span<const Batch> sources, std::span<Pick> picks) {
  size_t at = 0;
  for (uint32_t s = 0; s < sources.size(); ++s) {
    for (uint32_t row = 0; row < sources[s].rows(); ++row)
      picks[at++] = {s, row};
  }
  std::sort(picks.begin(), picks.end(), [&](const Pick& a, const Pick& b) {
    const uint32_t first = sources[a.source].ordinals()[a.row];
    const uint32_t second = sources[b.source].ordinals()[b.row];
    if (first != second) return first < second;
    return a.source != b.source ? a.source < b.source : a.row < b.row;
  });
}

}  // namespace

Batch Batch::MergeByOrdinal(Pool& pool, std::span<const Batch> sources) {
  size_t rows = 0;
  bool rising = true;
  const Batch* only = nullptr;
  for (const Batch& source : sources) {
    if (source.empty()) continue;
    only = rows == 0 ? &source : nullptr;
    rows += source.rows();
    rising = rising && Rises(source);
  }
  if (rows == 0) return sources.empty() ? Batch() : sources[0];
  if (rising && only != nullptr) return *only;
  const size_t bytes = rows * sizeof(Pick) + sources.size() * sizeof(uint32_t);
  auto* picks = static_cast<Pick*>(pool.Allocate(bytes));
  if (rising) {
    auto* next = reinterpret_cast<uint32_t*>(picks + rows);
    std::fill_n(next, sources.size(), 0U);
    MergeRising(sources, {next, sources.size()}, {picks, rows});
  } else {
    MergeAny(sources, {picks, rows});
  }
  Batch merged = Merge(pool, sources, {picks, rows});
  pool.Free(picks, bytes);
  return merged;
}

}  // namespace freshet
