#include "engine/data/batch.h"

#include <algorithm>
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

// One block: the node and, behind it, the arrays of its kind. `at` has an entry a column. Known ones of a
// parent are lent: the node keeps the parent, and so them.
struct BatchNode : BatchHead {
  Kind kind = Kind::kColumns;
  bool is_run = false;  // kPicks: rows that follow one another in one input
  uint32_t first = 0;   // kColumns: columns below `first` are the parent's, the others are counted here
  uint32_t inputs = 0;  // kPicks
  Pool* pool = nullptr;
  size_t bytes = 0;
  Ref<const BatchHead> parent;            // kColumns, kProject
  Ref<const BatchHead>* input = nullptr;  // kPicks; an input without rows may be null
  Batch::Pick* picks = nullptr;           // kPicks: one a row
  uint32_t* map = nullptr;                // kProject: the parent's index of each column
};

namespace {

using Pick = Batch::Pick;
using Cell = Batch::Cell;
using Head = Ref<const BatchHead>;

const BatchNode& NodeOf(const BatchHead& head) {
  return static_cast<const BatchNode&>(head);
}

void Count(const Column& column) {
  ++column.references;
}

void Discount(const Column& column) {
  if (--column.references == 0) column.Release();
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
  const Column** Columns(size_t count) { return reinterpret_cast<const Column**>(Next<const void*>(count)); }

 private:
  char* at_;
};

// `behind`: bytes of arrays beyond `at`, which is to be taken first.
BatchNode* NewNode(Pool& pool, Kind kind, size_t rows, size_t columns, size_t behind) {
  const size_t bytes = sizeof(BatchNode) + columns * sizeof(void*) + behind;
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
  BatchNode* node =
      NewNode(pool, Kind::kColumns, rows, first + own.size(), marks * (sizeof(Time) + sizeof(uint32_t)));
  Arrays arrays(*node);
  node->parent = parent;
  node->first = static_cast<uint32_t>(first);
  node->at = arrays.Columns(first + own.size());
  if (first != 0) std::memcpy(node->at, parent->at, first * sizeof(void*));
  for (size_t i = 0; i < own.size(); ++i) {
    node->at[first + i] = own[i].get();
    Count(*own[i]);
  }
  auto* times = arrays.Next<Time>(marks);
  auto* ordinals = arrays.Next<uint32_t>(marks);
  node->times = marked || !parent ? times : parent->times;
  node->ordinals = marked || !parent ? ordinals : parent->ordinals;
  return {node, times, ordinals};
}

// From nodes that only lend a column, to where it is known or rows are picked.
void Climb(const BatchHead*& head, size_t& i) {
  while (head->at[i] == nullptr && NodeOf(*head).kind != Kind::kPicks) {
    if (NodeOf(*head).kind == Kind::kProject) i = NodeOf(*head).map[i];
    head = NodeOf(*head).parent.get();
  }
}

// Where row `row` of column `i` was made. `in_runs` stays true where the rows after it follow it there.
Cell CellOf(const BatchHead* head, size_t i, uint32_t row, bool& in_runs) {
  for (Climb(head, i); head->at[i] == nullptr; Climb(head, i)) {
    const BatchNode& node = NodeOf(*head);
    in_runs = in_runs && node.is_run;
    const Pick& pick = node.picks[row];
    head = node.input[pick.source].get();
    row = pick.row;
  }
  return {head->at[i], row};
}

template <class T>
void CopyCells(std::span<const Cell> cells, std::span<T> out) {
  for (size_t row = 0; row < cells.size(); ++row)
    out[row] = cells[row].column->values<T>()[cells[row].row];
}

bool IsRun(std::span<const Cell> cells) {
  for (size_t row = 1; row < cells.size(); ++row) {
    if (cells[row].column != cells[0].column || cells[row].row != cells[0].row + row) return false;
  }
  return true;
}

ColumnPtr Copied(Pool& pool, std::span<const Cell> cells) {
  if (IsRun(cells)) return Slice(pool, *cells[0].column, cells[0].row, cells.size());
  const Type type = cells[0].column->type();
  ColumnBuilder builder(pool, type, cells.size());
  if (IsText(type) || IsList(type)) {
    for (const Cell& cell : cells)
      builder.AppendFrom(*cell.column, cell.row);
    return builder.Finish();
  }
  if (type == Type::kBool) {
    CopyCells(cells, builder.Fill<uint8_t>(cells.size()));
  } else {
    CopyCells(cells, builder.Fill<int64_t>(cells.size()));
  }
  for (size_t row = 0; row < cells.size(); ++row) {
    if (!cells[row].column->valid(cells[row].row)) builder.SetNull(row);
  }
  return builder.Finish();
}

Type TypeOf(const BatchHead* head, size_t i) {
  for (Climb(head, i); head->at[i] == nullptr; Climb(head, i)) {
    const BatchNode& node = NodeOf(*head);
    head = std::find_if(node.input, node.input + node.inputs, [](const Head& h) { return bool(h); })->get();
  }
  return head->at[i]->type();
}

// Column `i` of a node of picks, from the columns where its values were made: what lies in between is not
// gathered.
ColumnPtr GatherCells(const BatchNode& node, size_t i) {
  constexpr size_t kFew = 16;
  Cell few[kFew];
  const size_t bytes = node.rows * sizeof(Cell);
  Cell* cells = node.rows <= kFew ? few : static_cast<Cell*>(node.pool->Allocate(bytes));
  bool in_runs = false;
  for (uint32_t row = 0; row < node.rows; ++row)
    cells[row] = CellOf(&node, i, row, in_runs);
  ColumnPtr column = Copied(*node.pool, {cells, node.rows});
  if (cells != few) node.pool->Free(cells, bytes);
  return column;
}

ColumnPtr Gathered(const BatchNode& node, size_t i) {
  if (node.rows == 0) return ColumnBuilder(*node.pool, TypeOf(&node, i), 0).Finish();
  if (node.rows == 1 || node.is_run) {
    bool in_runs = true;
    const Cell first = CellOf(&node, i, 0, in_runs);
    if (node.rows == 1 || in_runs) return Slice(*node.pool, *first.column, first.row, node.rows);
  }
  return GatherCells(node, i);
}

// A node of `rows` picks, still to be written, and its marks.
struct Picked {
  BatchNode* node;
  Time* times;
  uint32_t* ordinals;
};
Picked NewPicks(Pool& pool, size_t rows, size_t columns, size_t inputs) {
  BatchNode* node = NewNode(pool, Kind::kPicks, rows, columns,
                            inputs * sizeof(Head) + rows * (sizeof(Time) + sizeof(Pick) + sizeof(uint32_t)));
  Arrays arrays(*node);
  node->at = arrays.Columns(columns);
  std::fill_n(node->at, columns, nullptr);
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

// The input all of whose rows, and no others, are the rows `rows` of the node, ordinals included. Null if
// there is none.
const BatchHead* WholeInput(const BatchNode& node, std::span<const uint32_t> rows) {
  if (rows.empty()) return nullptr;
  const Pick& first = node.picks[rows[0]];
  const BatchHead* input = node.input[first.source].get();
  if (input->rows != rows.size()) return nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Pick& pick = node.picks[rows[i]];
    const bool same = pick.source == first.source && pick.row == i;
    if (!same || input->ordinals[i] != node.ordinals[rows[i]]) return nullptr;
  }
  return input;
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
    for (size_t i = node->first; i < node->columns; ++i)
      Discount(*node->at[i]);
  } else if (node->kind == Kind::kPicks) {
    for (size_t i = 0; i < node->columns; ++i) {
      if (node->at[i] != nullptr) Discount(*node->at[i]);
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

const Column& Batch::Find(size_t i) const {
  const BatchHead* head = head_.get();
  size_t at = i;
  Climb(head, at);
  if (head->at[at] == nullptr) {
    const ColumnPtr column = Gathered(NodeOf(*head), at);
    Count(*column);
    head->at[at] = column.get();
  }
  head_->at[i] = head->at[at];
  return *head_->at[i];
}

Batch::Cell Batch::FindCell(size_t i, uint32_t row) const {
  bool in_runs = false;
  return CellOf(head_.get(), i, row, in_runs);
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
  Arrays arrays(*node);
  node->at = arrays.Columns(columns.size());
  node->map = arrays.Next<uint32_t>(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    node->at[i] = head_->at[columns[i]];
    node->map[i] = static_cast<uint32_t>(columns[i]);
  }
  return Batch(Head(node));
}

Batch Batch::At(Pool& pool, std::span<const Time> times) const {
  assert(times.size() == rows());
  const Marked made = NewColumns(pool, head_, {}, rows(), true);
  std::copy(times.begin(), times.end(), made.times);
  std::copy(ordinals().begin(), ordinals().end(), made.ordinals);
  return Batch(Head(made.node));
}

Batch Batch::Take(Pool& pool, std::span<const uint32_t> rows) const {
  if (!head_) return {};
  bool all = rows.size() == this->rows();
  for (size_t i = 0; all && i < rows.size(); ++i)
    all = rows[i] == i;
  if (all) return *this;
  const BatchNode& from = NodeOf(*head_);
  if (const BatchHead* whole = from.kind == Kind::kPicks ? WholeInput(from, rows) : nullptr) {
    return Batch(Head(whole));
  }
  const Picked made = NewPicks(pool, rows.size(), columns(), 1);
  made.node->input[0] = head_;
  for (size_t i = 0; i < rows.size(); ++i) {
    assert(rows[i] < this->rows());
    made.times[i] = from.times[rows[i]];
    made.ordinals[i] = from.ordinals[rows[i]];
    made.node->picks[i] = Pick{0, rows[i]};
  }
  made.node->is_run = IsRun({made.node->picks, rows.size()});
  return Batch(Head(made.node));
}

Batch Batch::Merge(Pool& pool, std::span<const Batch> sources, std::span<const Pick> picks,
                   Ordinals ordinals) {
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
    made.ordinals[i] =
        ordinals == Ordinals::kNew ? static_cast<uint32_t>(i) : from.head_->ordinals[picks[i].row];
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
