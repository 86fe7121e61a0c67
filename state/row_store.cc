#include "state/row_store.h"

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include "engine/base/bytes.h"
#include "state/row_errors.h"
#include "state/task_store.h"

namespace freshet {

namespace {

constexpr size_t kReadAtOnce = 64;  // keys of one MultiGet
constexpr size_t kMemtable =
    4 << 20;  // a process may hold dozens of stores; the shared budget flushes earlier
constexpr size_t kArenaBlock = 64 << 10;  // a store with few rows must stay small
constexpr uint64_t kTableFile = 8 << 20;
constexpr int kOpenFiles = 64;         // a store; also keeps opening from reading every table file
constexpr int kBackgroundThreads = 2;  // of the process
constexpr int kBloomBits = 10;

rocksdb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view ViewOf(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// RocksDB's own log: a file a store, which nobody reads.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// RocksDB writes its settings to a file at every opening, reads it back and syncs it, for tools that we have
// not; that is most of the time an opening takes. It goes on without where the file cannot be made.
class NoOptionsFile final : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "NoOptionsFile"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (path.find("/OPTIONS-", path.rfind('/')) != std::string::npos) {
      return rocksdb::IOStatus::NotSupported("no options file is kept");
    }
    return target()->NewWritableFile(path, options, file, debug);
  }
};

}  // namespace

struct StoreResources::Impl {
  std::unique_ptr<rocksdb::Env> files =
      rocksdb::NewCompositeEnv(std::make_shared<NoOptionsFile>(rocksdb::FileSystem::Default()));
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::shared_ptr<rocksdb::WriteBufferManager> memtables;
  std::shared_ptr<rocksdb::TableFactory> tables;
  std::shared_ptr<rocksdb::Logger> log = std::make_shared<NoLog>();
};

StoreResources::StoreResources(int64_t block_cache_bytes, int64_t memtable_bytes)
    : impl_(std::make_unique<Impl>()) {
  impl_->block_cache = rocksdb::NewLRUCache(static_cast<size_t>(block_cache_bytes), 2);
  impl_->memtables = std::make_shared<rocksdb::WriteBufferManager>(static_cast<size_t>(memtable_bytes));
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = impl_->block_cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBits));
  table.cache_index_and_filter_blocks = true;  // else outside every budget
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  impl_->tables.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::Env::Default()->SetBackgroundThreads(kBackgroundThreads, rocksdb::Env::Priority::LOW);
  rocksdb::Env::Default()->SetBackgroundThreads(kBackgroundThreads, rocksdb::Env::Priority::HIGH);
}

StoreResources::~StoreResources() = default;

struct RowBatch::Impl {
  rocksdb::WriteBatch batch;
};

RowBatch::RowBatch() : impl_(std::make_unique<Impl>()) {}
RowBatch::~RowBatch() = default;
// A WriteBatch keeps its errors to itself until it is written; those of Put and Delete are of sizes beyond 4
// GiB.
void RowBatch::Put(std::string_view key, std::string_view value) {
  impl_->batch.Put(SliceOf(key), SliceOf(value)).PermitUncheckedError();
}
void RowBatch::Delete(std::string_view key) {
  impl_->batch.Delete(SliceOf(key)).PermitUncheckedError();
}
void RowBatch::Clear() {
  impl_->batch.Clear();
}
size_t RowBatch::bytes() const {
  return impl_->batch.GetDataSize();
}

struct RowCursor::Impl {
  std::string end;  // of the prefix; the iterator refers to `bound`, `bound` to this
  rocksdb::Slice bound;
  std::unique_ptr<rocksdb::Iterator> rows;
  std::string directory;
};

RowCursor::RowCursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowCursor::RowCursor(RowCursor&&) noexcept = default;
RowCursor& RowCursor::operator=(RowCursor&&) noexcept = default;
RowCursor::~RowCursor() = default;
void RowCursor::Seek(std::string_view key) {
  impl_->rows->Seek(SliceOf(key));
}
void RowCursor::Next() {
  impl_->rows->Next();
}
bool RowCursor::valid() const {
  return impl_->rows->Valid();
}
std::string_view RowCursor::key() const {
  return ViewOf(impl_->rows->key());
}
std::string_view RowCursor::value() const {
  return ViewOf(impl_->rows->value());
}
Status RowCursor::status() const {
  return StoreError(impl_->rows->status(), impl_->directory);
}

struct RowStore::Impl {
  std::string directory;
  rocksdb::Options options;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::Slice, kReadAtOnce> keys;
  std::array<rocksdb::PinnableSlice, kReadAtOnce> values;
  std::array<rocksdb::Status, kReadAtOnce> statuses;

  Status Open() {
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, directory, &opened);
    db.reset(opened);
    return StoreOpenError(status, directory);
  }
};

namespace {

rocksdb::Options OptionsFor(const StoreResources::Impl& shared) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.env = shared.files.get();
  options.info_log = shared.log;
  options.write_buffer_manager = shared.memtables;
  options.table_factory = shared.tables;
  options.write_buffer_size = kMemtable;
  options.arena_block_size = kArenaBlock;
  options.target_file_size_base = kTableFile;
  options.compression = rocksdb::kLZ4Compression;
  options.max_open_files = kOpenFiles;
  options.max_file_opening_threads = 1;
  options.max_background_jobs = kBackgroundThreads;
  options.allow_concurrent_memtable_write = false;  // one writer
  options.allow_fallocate = false;  // else every store's WAL claims megabytes at its first row
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.avoid_flush_during_recovery = true;
  options.avoid_flush_during_shutdown = true;  // the WAL has it
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return options;
}

}  // namespace

RowStore::RowStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowStore::~RowStore() = default;

Result<std::unique_ptr<RowStore>> RowStore::Open(const std::string& directory, StoreResources& resources) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Invalid("cannot make the directory " + directory + " (" + error.message() +
                   "): check its permissions, or choose another --state");
  }
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  impl->options = OptionsFor(resources.impl());
  if (Status s = impl->Open(); !s.ok()) return s;
  return std::unique_ptr<RowStore>(new RowStore(std::move(impl)));
}

const std::string& RowStore::directory() const {
  return impl_->directory;
}

Status RowStore::Read(const KeyColumn& keys, const std::function<Status(size_t, std::string_view)>& found) {
  Impl& me = *impl_;
  rocksdb::ColumnFamilyHandle* family = me.db->DefaultColumnFamily();
  for (size_t first = 0; first < keys.size(); first += kReadAtOnce) {
    const size_t n = std::min(kReadAtOnce, keys.size() - first);
    for (size_t i = 0; i < n; ++i)
      me.keys[i] = SliceOf(keys[first + i]);
    if (n == 1) {
      me.statuses[0] = me.db->Get(rocksdb::ReadOptions(), family, me.keys[0], &me.values[0]);
    } else {
      me.db->MultiGet(rocksdb::ReadOptions(), family, n, me.keys.data(), me.values.data(),
                      me.statuses.data());
    }
    Status result;
    for (size_t i = 0; i < n; ++i) {
      if (me.statuses[i].ok() && result.ok()) result = found(first + i, ViewOf(me.values[i]));
      if (!me.statuses[i].ok() && !me.statuses[i].IsNotFound())
        result = StoreError(me.statuses[i], me.directory);
      me.values[i].Reset();
    }
    if (!result.ok()) return result;
  }
  return {};
}

Status RowStore::Write(RowBatch& batch) {
  return StoreError(impl_->db->Write(rocksdb::WriteOptions(), &batch.impl_->batch), impl_->directory);
}

RowCursor RowStore::Scan(std::string_view prefix) {
  auto cursor = std::make_unique<RowCursor::Impl>();
  cursor->directory = impl_->directory;
  cursor->end = PrefixEnd(prefix);
  cursor->bound = SliceOf(cursor->end);
  rocksdb::ReadOptions options;
  if (!cursor->end.empty()) options.iterate_upper_bound = &cursor->bound;
  cursor->rows.reset(impl_->db->NewIterator(options));
  return RowCursor(std::move(cursor));
}

Status RowStore::Clear() {
  impl_->db.reset();
  const rocksdb::Status status = rocksdb::DestroyDB(impl_->directory, impl_->options);
  if (!status.ok()) return StoreError(status, impl_->directory);
  return impl_->Open();
}

}  // namespace freshet
