#include "state/task_store.h"

#include <algorithm>
#include <utility>

#include "engine/base/bytes.h"
#include "state/blocks.h"
#include "state/catalog.h"
#include "state/row_errors.h"
#include "state/row_store.h"
#include "state/table_cache.h"

namespace freshet {

namespace {

constexpr uint32_t kFormat = 1;                  // of a store's directory
constexpr size_t kRestoreBatch = 1 << 20;        // bytes written at once while restoring
constexpr std::string_view kMarkKey("\0\0", 2);  // before every catalog row: no table has number 0

// Up to where the store holds the changelog, in the same batch as the rows.
struct Mark {
  int64_t position = 0;
  uint64_t epoch = 0;
  bool operator==(const Mark&) const = default;
};

std::string MarkRow(const Mark& mark) {
  std::string row;
  AppendFixed(kFormat, row);
  AppendFixed(mark.position, row);
  AppendFixed(mark.epoch, row);
  return row;
}

std::string NumberKey(uint32_t number) {
  std::string key;
  AppendVarint(number, key);
  return key;
}

}  // namespace

struct TaskStore::Impl {
  struct Known {
    Known(TableSpec spec, Impl& me)
        : cache(std::move(spec), me.rows.get(), me.budget, me.blocks, me.counts) {}
    TableCache cache;
    RawTable face{cache};
    bool declared = false;  // else only the catalog names it: an operator that the job no longer has
  };

  Impl(std::unique_ptr<RowStore> store, CacheBudget& shared)
      : rows(std::move(store)),
        budget(shared),
        blocks(shared.memory),
        catalog({.name = "catalog"}, rows.get(), budget, blocks, counts) {
    catalog.SetNumber(kCatalogTable);
  }

  std::unique_ptr<RowStore> rows;  // null: memory only
  CacheBudget& budget;
  Blocks blocks;
  StoreStats counts;
  TableCache catalog;
  std::vector<std::unique_ptr<Known>> tables;  // as they were declared or found
  std::optional<Mark> stored, committed;
  bool restoring = false;
  RowBatch batch;

  Known* ByName(std::string_view name);
  Known* ByNumber(uint32_t number);
  std::vector<TableCache*> InKeyOrder();
  Status ReadStore();
  Status BeginRestore();
  Status ApplyCatalog(std::string_view key, std::optional<std::string_view> value);
  Status WriteBatch();
};

TaskStore::Impl::Known* TaskStore::Impl::ByName(std::string_view name) {
  const auto found =
      std::find_if(tables.begin(), tables.end(), [&](auto& t) { return t->cache.spec().name == name; });
  return found == tables.end() ? nullptr : found->get();
}

TaskStore::Impl::Known* TaskStore::Impl::ByNumber(uint32_t number) {
  const auto found =
      std::find_if(tables.begin(), tables.end(), [&](auto& t) { return t->cache.number() == number; });
  return found == tables.end() ? nullptr : found->get();
}

// Those with a number, the catalog first.
std::vector<TableCache*> TaskStore::Impl::InKeyOrder() {
  std::vector<TableCache*> all{&catalog};
  for (auto& known : tables) {
    if (known->cache.number() != 0) all.push_back(&known->cache);
  }
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->prefix() < b->prefix(); });
  return all;
}

// --- opening ---

TaskStore::TaskStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaskStore::~TaskStore() = default;

Result<std::unique_ptr<TaskStore>> TaskStore::Open(const std::string& directory, StoreResources& resources,
                                                   CacheBudget& budget) {
  std::unique_ptr<RowStore> rows;
  if (!directory.empty()) {
    Result<std::unique_ptr<RowStore>> opened = RowStore::Open(directory, resources);
    if (!opened.ok()) return opened.status();
    rows = std::move(*opened);
  }
  auto impl = std::make_unique<Impl>(std::move(rows), budget);
  if (impl->rows != nullptr) {
    if (Status s = impl->ReadStore(); !s.ok()) return s;
  }
  return std::unique_ptr<TaskStore>(new TaskStore(std::move(impl)));
}

// The mark and the catalog.
Status TaskStore::Impl::ReadStore() {
  bool any = false;
  {
    RowCursor cursor = rows->Scan({});
    cursor.Seek({});
    any = cursor.valid();
    for (; cursor.valid() && cursor.key().starts_with(catalog.prefix()); cursor.Next()) {
      std::string_view value = cursor.value();
      if (cursor.key() == kMarkKey) {
        uint32_t format = 0;
        Mark mark;
        if (!TakeFixed(value, format)) return StoreCorrupt(rows->directory(), "its mark is cut short");
        if (format > kFormat) {
          return {Code::kConflict, rows->directory() +
                                       " was written by a newer version: run that version, or remove "
                                       "the directory, and it is rebuilt from the changelog"};
        }
        if (!TakeFixed(value, mark.position) || !TakeFixed(value, mark.epoch) || !value.empty()) {
          return StoreCorrupt(rows->directory(), "its mark is cut short");
        }
        stored = committed = mark;
        continue;
      }
      Status s = ApplyCatalog(cursor.key().substr(catalog.prefix().size()), value);
      if (!s.ok()) return s.Within(rows->directory());
    }
    if (Status s = cursor.status(); !s.ok()) return s;
  }
  // A restore that did not come to its end left rows that nobody vouches for.
  if (any && !stored) {
    tables.clear();
    return rows->Clear();
  }
  if (any) catalog.SetIncomplete();
  return {};
}

Result<RawTable*> TaskStore::Declare(const TableSpec& spec) {
  Impl& me = *impl_;
  Impl::Known* known = me.ByName(spec.name);
  if (known == nullptr) {
    me.tables.push_back(std::make_unique<Impl::Known>(spec, me));
    known = me.tables.back().get();
  } else {
    if (known->declared) return Internal("table `" + spec.name + "` is declared twice in one task");
    if (Status s = CheckLayout(known->cache.spec(), spec); !s.ok()) return s;
    known->cache.SetOrdered(spec.ordered);
    known->cache.SetScratch(spec.scratch);
  }
  known->declared = true;
  return &known->face;
}

// --- epochs ---

Status TaskStore::Collect(const ChangeSink& sink) {
  Impl& me = *impl_;
  // Numbers are given only now: a restore before may have brought those of the changelog.
  uint32_t last = 0;
  for (const auto& known : me.tables)
    last = std::max(last, known->cache.number());
  for (auto& known : me.tables) {
    if (known->cache.number() != 0) continue;
    known->cache.SetNumber(++last);
    me.catalog.Overwrite(NumberKey(last), CatalogRow(known->cache.spec()), false);
  }
  for (TableCache* table : me.InKeyOrder()) {
    if (Status s = table->Collect(sink); !s.ok()) return s;
  }
  return {};
}

size_t TaskStore::dirty_bytes() const {
  size_t bytes = impl_->catalog.dirty_bytes();
  for (const auto& known : impl_->tables)
    bytes += known->cache.dirty_bytes();
  return bytes;
}

size_t TaskStore::unstored_bytes() const {
  size_t bytes = impl_->catalog.unstored_bytes();
  for (const auto& known : impl_->tables)
    bytes += known->cache.unstored_bytes();
  return bytes;
}

void TaskStore::Committed(int64_t position, uint64_t epoch) {
  for (TableCache* table : impl_->InKeyOrder())
    table->Committed();
  impl_->committed = Mark{position, epoch};
  impl_->budget.Trim();
}

Status TaskStore::Flush() {
  Impl& me = *impl_;
  if (!me.committed || me.committed == me.stored) return {};
  const std::vector<TableCache*> tables = me.InKeyOrder();
  if (me.rows != nullptr) {
    for (TableCache* table : tables)
      table->AddUnstored(me.batch);
    if (Status s = me.WriteBatch(); !s.ok()) return s;
  }
  for (TableCache* table : tables)
    table->Stored();
  me.stored = me.committed;
  me.budget.Trim();
  return {};
}

// With the mark, and the batch is empty after it.
Status TaskStore::Impl::WriteBatch() {
  if (committed) batch.Put(kMarkKey, MarkRow(*committed));
  const size_t bytes = batch.bytes();
  const Status status = rows->Write(batch);
  batch.Clear();
  if (status.ok()) counts.stored_bytes += bytes;
  return status;
}

// --- restore ---

std::optional<int64_t> TaskStore::stored_position() const {
  return impl_->stored ? std::optional<int64_t>(impl_->stored->position) : std::nullopt;
}

uint64_t TaskStore::stored_epoch() const {
  return impl_->stored ? impl_->stored->epoch : 0;
}

Status TaskStore::Clear() {
  Impl& me = *impl_;
  me.catalog.Reset();
  std::erase_if(me.tables, [](const auto& known) { return !known->declared; });
  for (auto& known : me.tables) {
    known->cache.Reset();
    known->cache.SetNumber(0);
  }
  me.batch.Clear();
  me.stored = me.committed = std::nullopt;
  me.restoring = false;
  return me.rows == nullptr ? Status() : me.rows->Clear();
}

Status TaskStore::Impl::BeginRestore() {
  for (TableCache* table : InKeyOrder()) {
    if (table->unclean()) return Internal("change records are applied to a store with changes of its own");
  }
  // What is in memory would hide what is written past it.
  if (rows != nullptr) {
    for (auto& known : tables)
      known->cache.DropAll();
  }
  restoring = true;
  return {};
}

Status TaskStore::Apply(std::string_view key, std::optional<std::string_view> value) {
  Impl& me = *impl_;
  if (!me.restoring) {
    if (Status s = me.BeginRestore(); !s.ok()) return s;
  }
  std::string_view rest = key;
  uint64_t number = 0;
  if (!TakeVarint(rest, number)) {
    return {Code::kCorrupt,
            "a change record has no table: the changelog is damaged or not Freshet's; check the topic"};
  }
  if (number == kCatalogTable) {
    if (Status s = me.ApplyCatalog(rest, value); !s.ok()) return s;
    if (me.rows != nullptr) me.batch.Put(key, *value);
    return {};
  }
  Impl::Known* known = number > UINT32_MAX ? nullptr : me.ByNumber(static_cast<uint32_t>(number));
  if (known == nullptr) {
    return {Code::kCorrupt,
            "a change record names table " + std::to_string(number) +
                ", which the changelog has not introduced: records are missing; check that nothing "
                "deleted from the topic (it must be compacted, never cut)"};
  }
  if (value && !known->cache.Fits(*value)) {
    return {Code::kCorrupt, "a change record of table `" + known->cache.spec().name + "` has " +
                                std::to_string(value->size()) + " bytes instead of " +
                                std::to_string(known->cache.spec().width) +
                                ": the changelog is damaged; give the job a new name to start empty"};
  }
  if (me.rows == nullptr) {
    known->cache.ApplyInMemory(rest, value);
    return {};
  }
  known->cache.SetIncomplete();
  value ? me.batch.Put(key, *value) : me.batch.Delete(key);
  if (me.batch.bytes() < kRestoreBatch) return {};
  return me.WriteBatch();
}

bool TaskStore::IsRow(const TableSpec& table, std::string_view row, std::string_view key) const {
  if (!key.ends_with(row)) return false;
  const Impl::Known* known = impl_->ByName(table.name);
  return known != nullptr && known->cache.number() != 0 &&
         key.substr(0, key.size() - row.size()) == known->cache.prefix();
}

// A catalog row of the changelog or the store: the table gets that number.
Status TaskStore::Impl::ApplyCatalog(std::string_view key, std::optional<std::string_view> value) {
  uint64_t number = 0;
  if (!TakeVarint(key, number) || !key.empty() || number == 0 || number > UINT32_MAX || !value) {
    return {Code::kCorrupt,
            "a catalog row has no table number: the changelog or the state directory is damaged; remove "
            "the directory, and it is rebuilt from the changelog"};
  }
  Result<TableSpec> spec = ReadCatalogRow(*value);
  if (!spec.ok()) return spec.status();
  const auto as_number = static_cast<uint32_t>(number);
  Known* known = ByName(spec->name);
  const Known* same_number = ByNumber(as_number);
  if (same_number != known && (same_number != nullptr || known->cache.number() != 0)) {
    return {Code::kCorrupt, "the changelog gives table number " + std::to_string(number) + " to `" +
                                spec->name +
                                "`, the state directory to another: they do not belong together; remove the "
                                "directory, and it is rebuilt from the changelog"};
  }
  if (known == nullptr) {
    tables.push_back(std::make_unique<Known>(*spec, *this));
    known = tables.back().get();
  } else if (Status s = CheckLayout(*spec, known->cache.spec()); !s.ok()) {
    return s;
  }
  known->cache.SetNumber(as_number);
  known->cache.SetIncomplete();
  return {};
}

Status TaskStore::EndRestore(int64_t position, uint64_t epoch) {
  Impl& me = *impl_;
  me.restoring = false;
  me.committed = Mark{position, epoch};
  if (me.rows != nullptr) {
    if (Status s = me.WriteBatch(); !s.ok()) return s;
  }
  me.stored = me.committed;
  return {};
}

const StoreStats& TaskStore::stats() const {
  return impl_->counts;
}

std::string TaskStore::directory() const {
  return impl_->rows == nullptr ? "" : impl_->rows->directory();
}

}  // namespace freshet
