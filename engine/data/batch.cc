#include "engine/data/batch.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

namespace freshet {

namespace {

// Event times and ordinals of a batch, shared by the nodes that choose no rows.
struct RowMarks {
  mutable uint32_t references = 0;
  uint32_t rows = 0;
  Pool* pool = nullptr;

  static size_t Bytes(size_t rows) { return sizeof(RowMarks) + rows * (sizeof(Time) + sizeof(uint32_t)); }
  static Ref<RowMarks> Make(Pool& pool, size_t rows) {
    auto* marks = new (pool.Allocate(Bytes(rows))) RowMarks();
    marks->rows = static_cast<uint32_t>(rows);
    marks->pool = &pool;
    return Ref<RowMarks>(marks);
  }
  Time* times() { return reinterpret_cast<Time*>(this + 1); }
  uint32_t* ordinals() { return reinterpret_cast<uint32_t*>(times() + rows); }
  void Release() {
    Pool* from = pool;
    from->Free(this, Bytes(rows));
  }
};
static_assert(sizeof(RowMarks) % alignof(Time) == 0);

enum class Kind : uint8_t {
  kColumns,  // columns of its own, after those of the parent if there is one
  kPicks,    // rows of its sources; columns are gathered when asked for, and kept
};

}  // namespace

// One node: `own` columns in place; behind them, for picks, the sources and the picks.
struct BatchNode : BatchHead {
  Kind kind = Kind::kColumns;
  uint32_t own = 0;      // column slots of this node
  uint32_t first = 0;    // columns below `first` are the parent's
  uint32_t sources = 0;  // kPicks
  Pool* pool = nullptr;
  Ref<RowMarks> marks;
  Ref<const BatchHead> parent;  // kColumns
  size_t bytes = 0;

  ColumnPtr* columns() const { return reinterpret_cast<ColumnPtr*>(const_cast<BatchNode*>(this) + 1); }
  Ref<const BatchHead>* source() const { return reinterpret_cast<Ref<const BatchHead>*>(columns() + own); }
  Batch::Pick* picks() const { return reinterpret_cast<Batch::Pick*>(source() + sources); }
};

namespace {

const BatchNode& NodeOf(const BatchHead& head) {
  return static_cast<const BatchNode&>(head);
}

BatchNode* NewNode(Pool& pool, Kind kind, size_t own, size_t sources, size_t picks) {
  const size_t bytes = sizeof(BatchNode) + own * sizeof(ColumnPtr) + sources * sizeof(Ref<const BatchHead>) +
                       picks * sizeof(Batch::Pick);
  auto* node = new (pool.Allocate(bytes)) BatchNode();
  node->kind = kind;
  node->own = static_cast<uint32_t>(own);
  node->sources = static_cast<uint32_t>(sources);
  node->pool = &pool;
  node->bytes = bytes;
  std::uninitialized_default_construct_n(node->columns(), own);
  std::uninitialized_default_construct_n(node->source(), sources);
  return node;
}

void SetMarks(BatchNode& node, Ref<RowMarks> marks) {
  node.rows = marks->rows;
  node.times = marks->times();
  node.ordinals = marks->ordinals();
  node.marks = std::move(marks);
}

const ColumnPtr& ColumnOf(const BatchHead& head, size_t i);

// The rows that a node's picks name, of one column.
ColumnPtr GatherPicks(const BatchNode& node, size_t i) {
  const Batch::Pick* picks = node.picks();
  const Column& first = *ColumnOf(*node.source()[0], i);
  ColumnBuilder builder(*node.pool, first.type(), node.rows);
  if (IsText(first.type()) || IsList(first.type()) || node.rows < 2) {
    for (size_t row = 0; row < node.rows; ++row) {
      builder.AppendFrom(*ColumnOf(*node.source()[picks[row].source], i), picks[row].row);
    }
    return builder.Finish();
  }
  const auto copy = [&]<class T>(std::span<T> out) {
    for (size_t row = 0; row < node.rows; ++row) {
      out[row] = ColumnOf(*node.source()[picks[row].source], i)->template values<T>()[picks[row].row];
    }
  };
  if (first.type() == Type::kBool) {
    copy(builder.Fill<uint8_t>(node.rows));
  } else {
    copy(builder.Fill<int64_t>(node.rows));
  }
  for (size_t row = 0; row < node.rows; ++row) {
    const Column& from = *ColumnOf(*node.source()[picks[row].source], i);
    if (!from.valid(picks[row].row)) builder.SetNull(row);
  }
  return builder.Finish();
}

const ColumnPtr& ColumnOf(const BatchHead& head, size_t i) {
  const BatchNode* node = &NodeOf(head);
  while (node->kind == Kind::kColumns && i < node->first)
    node = &NodeOf(*node->parent);
  ColumnPtr& slot = node->columns()[i - node->first];
  if (!slot) slot = GatherPicks(*node, i);
  return slot;
}

}  // namespace

void BatchHead::Release() const {
  const BatchNode& node = NodeOf(*this);
  Pool* pool = node.pool;
  const size_t bytes = node.bytes;
  std::destroy_n(node.columns(), node.own);
  std::destroy_n(node.source(), node.sources);
  auto* mine = const_cast<BatchNode*>(&node);
  mine->~BatchNode();
  pool->Free(mine, bytes);
}

Batch Batch::Make(Pool& pool, std::span<const ColumnPtr> columns, std::span<const Time> times,
                  std::span<const uint32_t> ordinals) {
  BatchNode* node = NewNode(pool, Kind::kColumns, columns.size(), 0, 0);
  std::copy(columns.begin(), columns.end(), node->columns());
  node->BatchHead::columns = static_cast<uint32_t>(columns.size());
  Ref<RowMarks> marks = RowMarks::Make(pool, times.size());
  std::copy(times.begin(), times.end(), marks->times());
  std::copy(ordinals.begin(), ordinals.end(), marks->ordinals());
  SetMarks(*node, std::move(marks));
  return Batch(Ref<const BatchHead>(node));
}

ColumnPtr Batch::shared(size_t i) const {
  assert(i < columns());
  return ColumnOf(*head_, i);
}

Batch Batch::With(Pool& pool, std::span<const ColumnPtr> added) const {
  BatchNode* node = NewNode(pool, Kind::kColumns, added.size(), 0, 0);
  std::copy(added.begin(), added.end(), node->columns());
  node->first = static_cast<uint32_t>(columns());
  node->BatchHead::columns = static_cast<uint32_t>(columns() + added.size());
  node->parent = head_;
  SetMarks(*node, NodeOf(*head_).marks);
  return Batch(Ref<const BatchHead>(node));
}

Batch Batch::Project(Pool& pool, std::span<const size_t> columns) const {
  BatchNode* node = NewNode(pool, Kind::kColumns, columns.size(), 0, 0);
  for (size_t i = 0; i < columns.size(); ++i)
    node->columns()[i] = shared(columns[i]);
  node->BatchHead::columns = static_cast<uint32_t>(columns.size());
  SetMarks(*node, NodeOf(*head_).marks);
  return Batch(Ref<const BatchHead>(node));
}

namespace {

// A node that passes every column of `parent` on, with marks of its own.
BatchNode* Remarked(Pool& pool, const Ref<const BatchHead>& parent) {
  BatchNode* node = NewNode(pool, Kind::kColumns, 0, 0, 0);
  node->first = parent->columns;
  node->BatchHead::columns = static_cast<uint32_t>(parent->columns);
  node->parent = parent;
  return node;
}

}  // namespace

Batch Batch::At(Pool& pool, std::span<const Time> times) const {
  BatchNode* node = Remarked(pool, head_);
  Ref<RowMarks> marks = RowMarks::Make(pool, rows());
  std::copy(times.begin(), times.end(), marks->times());
  std::copy(ordinals().begin(), ordinals().end(), marks->ordinals());
  SetMarks(*node, std::move(marks));
  return Batch(Ref<const BatchHead>(node));
}

Batch Batch::Numbered(Pool& pool) const {
  BatchNode* node = Remarked(pool, head_);
  Ref<RowMarks> marks = RowMarks::Make(pool, rows());
  std::copy(times().begin(), times().end(), marks->times());
  for (uint32_t row = 0; row < rows(); ++row)
    marks->ordinals()[row] = row;
  SetMarks(*node, std::move(marks));
  return Batch(Ref<const BatchHead>(node));
}

Batch Batch::Take(Pool& pool, std::span<const uint32_t> rows) const {
  if (rows.empty()) return Batch();
  auto* picks = static_cast<Pick*>(pool.Allocate(rows.size() * sizeof(Pick)));
  for (size_t i = 0; i < rows.size(); ++i)
    picks[i] = {0, rows[i]};
  Batch taken = Merge(pool, {this, 1}, {picks, rows.size()});
  pool.Free(picks, rows.size() * sizeof(Pick));
  return taken;
}

// Composed with the source's own picks where it is nothing but picks: chains of choices gather once.
Batch Batch::Merge(Pool& pool, std::span<const Batch> sources, std::span<const Pick> picks) {
  if (picks.empty()) return Batch();
  const BatchNode& only = NodeOf(*sources[0].head_);
  const bool composes = sources.size() == 1 && only.kind == Kind::kPicks;
  const size_t below = composes ? only.sources : sources.size();
  BatchNode* node = NewNode(pool, Kind::kPicks, sources[0].columns(), below, picks.size());
  node->BatchHead::columns = static_cast<uint32_t>(sources[0].columns());
  Ref<RowMarks> marks = RowMarks::Make(pool, picks.size());
  for (size_t s = 0; s < below; ++s)
    node->source()[s] = composes ? only.source()[s] : sources[s].head_;
  for (size_t row = 0; row < picks.size(); ++row) {
    const BatchHead& from = *sources[picks[row].source].head_;
    marks->times()[row] = from.times[picks[row].row];
    marks->ordinals()[row] = from.ordinals[picks[row].row];
    node->picks()[row] = composes ? only.picks()[picks[row].row] : picks[row];
  }
  SetMarks(*node, std::move(marks));
  return Batch(Ref<const BatchHead>(node));
}

// Ordinals never fall inside a source, so this is a merge of sorted runs, few of them.
Batch Batch::MergeByOrdinal(Pool& pool, std::span<const Batch> sources) {
  size_t rows = 0;
  for (const Batch& source : sources)
    rows += source.rows();
  if (rows == 0) return Batch();
  const size_t picks_bytes = rows * sizeof(Pick);
  const size_t next_bytes = sources.size() * sizeof(uint32_t);
  auto* picks = static_cast<Pick*>(pool.Allocate(picks_bytes));
  auto* next = static_cast<uint32_t*>(pool.Allocate(next_bytes));
  std::fill_n(next, sources.size(), 0U);
  for (size_t i = 0; i < rows; ++i) {
    uint32_t first = UINT32_MAX;
    for (uint32_t s = 0; s < sources.size(); ++s) {
      if (next[s] == sources[s].rows()) continue;
      if (first == UINT32_MAX || sources[s].ordinals()[next[s]] < sources[first].ordinals()[next[first]])
        first = s;
    }
    picks[i] = {first, next[first]++};
  }
  Batch merged = Merge(pool, sources, {picks, rows});
  pool.Free(next, next_bytes);
  pool.Free(picks, picks_bytes);
  return merged;
}

}  // namespace freshet
