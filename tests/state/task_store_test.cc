#include "state/task_store.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/bytes.h"
#include "state/row_store.h"
#include "tests/harness/temp_dir.h"
#include "tests/state/store_fixture.h"

namespace freshet {
namespace {

const TableSpec kFree = {.name = "free", .layout = 1, .ordered = true, .width = 0};
const TableSpec kOther = {.name = "other", .layout = 1, .ordered = false, .width = 0};

bool Says(const Status& status, std::string_view part) {
  return status.message().find(part) != std::string::npos;
}

TEST(TaskStore, ComesBackFromDiskAtItsPosition) {
  const TempDir directory;
  StoreFixture fixture(directory.File("deep/store"));
  fixture.Open();
  EXPECT_EQ(fixture.store->stored_position(), std::nullopt);
  EXPECT_EQ(fixture.store->stored_epoch(), 0U);
  Changelog log;
  Put(fixture.Declare(kFree), "a", "1");
  Commit(*fixture.store, log, 41);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.Open();
  EXPECT_EQ(fixture.store->stored_position(), static_cast<int64_t>(log.size()));
  EXPECT_EQ(fixture.store->stored_epoch(), 41U);
  EXPECT_EQ(fixture.store->directory(), fixture.directory);
  EXPECT_EQ(Value(fixture.Declare(kFree), "a"), "1");
}

TEST(TaskStore, FlushWritesWhatIsCommittedNotWhatIsNewer) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& table = fixture.Declare(kFree);
  Changelog log;
  for (const std::string key : {"changed", "erased", "same"})
    Put(table, key, "committed");
  Commit(*fixture.store, log);
  Put(table, "changed", "newer, and of another size");
  EraseKey(table, "erased");
  Put(table, "new", "newer");
  ASSERT_TRUE(fixture.store->Flush().ok());
  EXPECT_EQ(Value(table, "changed"), "newer, and of another size");
  fixture.Open();
  const std::map<std::string, std::string> expected = {
      {"changed", "committed"}, {"erased", "committed"}, {"same", "committed"}};
  EXPECT_EQ(Rows(fixture.Declare(kFree)), expected);
}

// What the store never saw takes no room until the next Flush.
TEST(TaskStore, RowsThatCameAndWentWaitForNothing) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  RawTable& table = fixture.Declare({.name = "rows", .ordered = true});
  Changelog log;
  Put(table, "stays", "1");
  Commit(*fixture.store, log);
  const int64_t used = fixture.budget.used;
  const size_t unstored = fixture.store->unstored_bytes();
  for (int i = 0; i < 100; ++i) {
    Put(table, "goes" + std::to_string(i), "2");
    Commit(*fixture.store, log);
    EraseKey(table, "goes" + std::to_string(i));
    Commit(*fixture.store, log);
    ASSERT_EQ(fixture.budget.used, used);
    ASSERT_EQ(fixture.store->unstored_bytes(), unstored);
  }
  EXPECT_EQ(log.size(), 2U + 200U) << "the changelog has them, and their ends";
  ASSERT_TRUE(fixture.store->Flush().ok());
  EXPECT_EQ(Rows(table), (std::map<std::string, std::string>{{"stays", "1"}}));
  fixture.Open();
  EXPECT_EQ(Rows(fixture.Declare({.name = "rows", .ordered = true})),
            (std::map<std::string, std::string>{{"stays", "1"}}));
}

TEST(TaskStore, AFailingSinkEndsTheCollect) {
  StoreFixture fixture;
  fixture.Open();
  Put(fixture.Declare(kFree), "a", "1");
  const Status status =
      fixture.store->Collect([](auto, auto) { return Status(Code::kUnreachable, "no log"); });
  EXPECT_EQ(status.code(), Code::kUnreachable);
}

TEST(TaskStore, NothingToCommitIsNoBytes) {
  StoreFixture fixture;
  fixture.Open();
  RawTable& table = fixture.Declare(kFree);
  EXPECT_EQ(fixture.store->dirty_bytes(), 0U);
  Put(table, "", "");  // the smallest change there is
  EXPECT_GT(fixture.store->dirty_bytes(), 0U);
  Changelog log;
  Commit(*fixture.store, log);
  EXPECT_EQ(fixture.store->dirty_bytes(), 0U);
}

// --- catalog ---

TEST(TaskStore, NumbersOfTheChangelogWinOverTheOrderOfDeclaration) {
  Changelog log;
  StoreFixture first;
  first.Open();
  Put(first.Declare(kFree), "k", "free");
  Put(first.Declare(kOther), "k", "other");
  Commit(*first.store, log);
  for (const bool on_disk : {false, true}) {
    const TempDir directory;
    StoreFixture second(on_disk ? directory.File("store") : "");
    second.Open();
    RawTable& added = second.Declare({.name = "added"});
    RawTable& other = second.Declare(kOther);  // kFree is gone from the job
    Restore(*second.store, log);
    EXPECT_EQ(Value(other, "k"), "other");
    EXPECT_EQ(Value(added, "k"), std::nullopt);
    Put(added, "k", "added");
    const std::vector<ChangeRecord> records = CollectAll(*second.store);
    ASSERT_EQ(records.size(), 2U) << "its catalog row and its row";
    EXPECT_EQ(records[0].key, std::string("\0\3", 2));
    EXPECT_EQ(records[1].key, "\3k");
    // Its operator comes back.
    EXPECT_EQ(Value(second.Declare(kFree), "k"), "free");
  }
}

TEST(TaskStore, ATableIsDeclaredOnce) {
  StoreFixture fixture;
  fixture.Open();
  fixture.Declare(kFree);
  EXPECT_EQ(fixture.store->Declare(kFree).status().code(), Code::kInternal);
}

TEST(TaskStore, AnotherLayoutIsRefused) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  Changelog log;
  Put(fixture.Declare({.name = "t", .layout = 1, .width = 4}), "a", "1234");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.Open();
  const Status layout = fixture.store->Declare({.name = "t", .layout = 2, .width = 4}).status();
  EXPECT_EQ(layout.code(), Code::kConflict);
  EXPECT_TRUE(Says(layout, "table `t` was written with layout 1")) << layout.message();
  EXPECT_TRUE(Says(layout, "give the job a new name")) << layout.message();
  EXPECT_EQ(fixture.store->Declare({.name = "t", .layout = 1, .width = 8}).status().code(), Code::kConflict);
  // And so it is by the changelog.
  StoreFixture memory;
  memory.Open();
  memory.Declare({.name = "t", .layout = 2, .width = 4});
  EXPECT_EQ(memory.store->Apply(log[0].key, *log[0].value).code(), Code::kConflict);
}

TEST(TaskStore, RecordsThatCannotBeOursAreRefused) {
  StoreFixture fixture;
  fixture.Open();
  EXPECT_EQ(fixture.store->Apply("", "value").code(), Code::kCorrupt);
  EXPECT_EQ(fixture.store->Apply("\5key", "value").code(), Code::kCorrupt) << "a table nobody introduced";
  EXPECT_EQ(fixture.store->Apply(std::string_view("\0\1", 2), "").code(), Code::kCorrupt);
  EXPECT_EQ(fixture.store->Apply(std::string_view("\0\1", 2), std::nullopt).code(), Code::kCorrupt);
  EXPECT_EQ(fixture.store->Apply(std::string_view("\0\1", 2), "\2later").code(), Code::kConflict)
      << "a newer version's catalog";
  Changelog log;
  StoreFixture other;
  other.Open();
  Put(other.Declare({.name = "t", .width = 4}), "a", "1234");
  Commit(*other.store, log);
  ASSERT_TRUE(fixture.store->Apply(log[0].key, *log[0].value).ok());
  EXPECT_EQ(fixture.store->Apply(log[1].key, "12345").code(), Code::kCorrupt) << "of another width";
}

TEST(TaskStore, ChangesAndRestoreDoNotMix) {
  StoreFixture fixture;
  fixture.Open();
  Put(fixture.Declare(kFree), "a", "1");
  Changelog log;
  Commit(*fixture.store, log);
  EXPECT_EQ(fixture.store->Apply(log[0].key, *log[0].value).code(), Code::kInternal);
}

// --- restores that stop half-way ---

TEST(TaskStore, ARestoreCutShortIsBegunAgainFromNothing) {
  Changelog log;
  StoreFixture source;
  source.Open();
  RawTable& rows = source.Declare(kFree);
  for (int i = 0; i < 2000; ++i)
    Put(rows, "key" + std::to_string(i), std::string(1000, 'x'));
  Commit(*source.store, log);
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  for (const ChangeRecord& record : log)
    ASSERT_TRUE(fixture.store->Apply(record.key, *record.value).ok());
  fixture.Open();  // without EndRestore, though rows were written
  EXPECT_EQ(fixture.store->stored_position(), std::nullopt);
  EXPECT_TRUE(Rows(fixture.Declare(kFree)).empty());
  Restore(*fixture.store, log);
  fixture.Open();
  EXPECT_EQ(fixture.store->stored_position(), static_cast<int64_t>(log.size()));
  EXPECT_EQ(Rows(fixture.Declare(kFree)), Rows(rows));
}

// --- the environment ---

TEST(TaskStore, ADirectoryInUseIsRefused) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  const Status status = TaskStore::Open(fixture.directory, fixture.resources, fixture.budget).status();
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_TRUE(Says(status, "held by another process; stop it or choose another --state")) << status.message();
}

TEST(TaskStore, ADirectoryHeldByAnotherProcessIsRefused) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  fixture.store.reset();
  const std::string lock = fixture.directory + "/LOCK";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  ASSERT_GE(holder, 0);
  if (holder == 0) {  // only calls that are safe after a fork
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    const int file = open(lock.c_str(), O_RDWR);
    const char held = fcntl(file, F_SETLK, &whole) == 0 ? 'y' : 'n';
    if (write(ready[1], &held, 1) != 1) _exit(1);
    while (true)
      pause();
  }
  char held = 'n';
  EXPECT_EQ(read(ready[0], &held, 1), 1);
  EXPECT_EQ(held, 'y');
  const Status status = TaskStore::Open(fixture.directory, fixture.resources, fixture.budget).status();
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_TRUE(Says(status, "held by another process; stop it or choose another --state")) << status.message();
  fixture.Open();  // it is free again
}

TEST(TaskStore, ADirectoryThatCannotBeMadeIsRefused) {
  const TempDir directory;
  directory.Write("file", "not a directory");
  StoreFixture fixture;
  const Status status =
      TaskStore::Open(directory.File("file/store"), fixture.resources, fixture.budget).status();
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_TRUE(Says(status, "--state")) << status.message();
}

TEST(TaskStore, ANewerStoreIsRefused) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  Changelog log;
  Put(fixture.Declare(kFree), "a", "1");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  fixture.store.reset();
  {
    auto rows = RowStore::Open(fixture.directory, fixture.resources);
    ASSERT_TRUE(rows.ok());
    RowBatch batch;
    std::string mark;
    AppendFixed(uint32_t{2}, mark);
    batch.Put(std::string_view("\0\0", 2), mark + "what only it knows");
    ASSERT_TRUE((*rows)->Write(batch).ok());
  }
  const Status status = TaskStore::Open(fixture.directory, fixture.resources, fixture.budget).status();
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_TRUE(Says(status, "newer version")) << status.message();
}

TEST(TaskStore, DamageSaysWhatToDo) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  fixture.store.reset();
  for (const auto& file : std::filesystem::directory_iterator(fixture.directory)) {
    if (file.path().filename().string().starts_with("MANIFEST")) std::ofstream(file.path()) << "no manifest";
  }
  const Status status = TaskStore::Open(fixture.directory, fixture.resources, fixture.budget).status();
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_TRUE(Says(status, "remove the directory, and it is rebuilt from the changelog")) << status.message();
}

TEST(TaskStore, ADamagedMarkSaysWhatToDo) {
  const TempDir directory;
  StoreFixture fixture;
  {
    auto rows = RowStore::Open(directory.File("store"), fixture.resources);
    ASSERT_TRUE(rows.ok());
    RowBatch batch;
    batch.Put(std::string_view("\0\0", 2), "\1");
    ASSERT_TRUE((*rows)->Write(batch).ok());
  }
  EXPECT_EQ(TaskStore::Open(directory.File("store"), fixture.resources, fixture.budget).status().code(),
            Code::kCorrupt);
}

// A file that may grow no further fails like a full disk.
TEST(TaskStore, AFullDiskLosesNothingCommitted) {
  const TempDir directory;
  StoreFixture fixture(directory.File("store"));
  fixture.Open();
  Changelog log;
  RawTable& table = fixture.Declare(kFree);
  Put(table, "before", "stored");
  Commit(*fixture.store, log);
  ASSERT_TRUE(fixture.store->Flush().ok());
  const std::optional<int64_t> before = fixture.store->stored_position();
  for (int i = 0; i < 300; ++i)
    Put(table, "key" + std::to_string(i), std::string(1000, 'x'));
  Commit(*fixture.store, log);
  const auto expected = Rows(table);

  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = fixture.store->Flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_EQ(status.code(), Code::kExhausted) << status.message();
  EXPECT_TRUE(Says(status, "is full")) << status.message();
  EXPECT_TRUE(Says(status, "nothing committed is lost")) << status.message();
  EXPECT_EQ(fixture.store->stored_position(), before);
  fixture.Open();
  EXPECT_EQ(fixture.store->stored_position(), before);
  Restore(*fixture.store, log);
  EXPECT_EQ(Rows(fixture.Declare(kFree)), expected);
}

}  // namespace
}  // namespace freshet
