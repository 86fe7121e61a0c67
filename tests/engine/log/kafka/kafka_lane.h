#pragma once
// What a lane does, as little as possible: copies partitions of one topic to another, exactly once, through
// whatever happens. One thread, but for what is said otherwise.
#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "tests/engine/log/kafka/kafka_fixture.h"

namespace freshet {

struct CopyJob {
  std::string from;
  std::string to;  // as many partitions, equal numbers
  std::string placement;
  std::string group;
  std::string id;  // transactional
  int32_t partitions = 1;
  int64_t rows_each = 0;  // plain records 0 to rows_each - 1 in every partition of `from`
  size_t batch = 20;      // rows of a transaction
  Duration transaction_timeout = 10 * kSecond;
};

class CopyLane {
 public:
  CopyLane(const KafkaFixture& fixture, CopyJob job);
  // Until every partition is copied to its end, or stop was asked for. Leaves the group.
  void Run();
  void Stop() { stop_ = true; }  // any thread

  // What others may watch.
  std::atomic<int64_t> committed{0};  // rows
  std::atomic<int> held{0};           // partitions
  std::atomic<int> failures{0};       // commits and aborts that failed, each followed by a new producer
  std::atomic<bool> committing{false};
  std::atomic<bool> in_doubt{false};

 private:
  void Follow(const GroupChange& change);
  void Take(int32_t partition);
  void DropAll();
  void Begin();
  bool CopySome();  // false: nothing at hand
  Status Transact(int64_t& rows);
  bool Finished();

  CopyJob job_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Consumer> consumer_;
  std::unique_ptr<Producer> producer_;
  std::map<int32_t, PartitionReader*> readers_;
  std::atomic<bool> stop_{false};
};

// Fills every partition of `job.from` with its rows.
void FillSource(LogSession& session, const CopyJob& job);
// Every row of every partition is in `job.to` once and in order, for two independent readers.
void ExpectCopied(LogSession& session, const CopyJob& job);
// Waits until `done`; ends the test after two minutes.
void Await(const std::function<bool()>& done, const char* what);

}  // namespace freshet
