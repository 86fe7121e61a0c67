// What the embedded log costs a record: transactions over several partitions, and reading them back.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/base/random.h"
#include "engine/log/local/local_log.h"
#include "tests/bench/must.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

constexpr int32_t kPartitions = 8;
constexpr size_t kTransaction = 4'000;  // records

struct Row {
  std::string key;
  std::string value;
};

// Rows of 100 to 250 bytes, as many as `keys`, that compress about as JSON does.
std::vector<Row> MakeRows(uint64_t keys) {
  Random random(7);
  std::vector<Row> rows;
  for (uint64_t i = 0; i < keys; ++i) {
    Row& row = rows.emplace_back();
    row.key = "key" + std::to_string(i);
    const size_t bytes = 100 + random.Below(151) - row.key.size();
    row.value = "{\"id\":" + std::to_string(i);
    while (row.value.size() < bytes)
      row.value += ",\"field\":" + std::to_string(random.Below(1'000'000));
    row.value.resize(bytes);
  }
  return rows;
}

struct Bench {
  explicit Bench(bool compacted) : rows(MakeRows(kTransaction * 5)) {
    LocalLogOptions options;
    options.sync = false;  // the disk is not what is measured
    log = Must(OpenLocalLog(dir.File("log"), options));
    TopicSettings settings;
    settings.partitions = kPartitions;
    settings.compacted = compacted;
    Must(log->Create("topic", settings));
    ConsumerOptions member;
    member.group = "group";
    consumer = Must(log->OpenConsumer(member));
    Must(consumer->Join("topic"));
    Must(consumer->Poll(0));
    producer = Must(log->OpenProducer({.transactional_id = "producer"}));
    Must(producer->Init());
  }
  // Returns the bytes of keys and values.
  int64_t Transaction() {
    int64_t bytes = 0;
    Must(producer->Begin());
    for (size_t i = 0; i < kTransaction; ++i, ++sent) {
      const Row& row = rows[sent % rows.size()];
      OutgoingRecord record;
      record.topic = "topic";
      record.partition = static_cast<int32_t>(sent % kPartitions);
      record.timestamp = static_cast<Time>(sent);
      record.key = row.key;
      record.value = row.value;
      Must(producer->Send(record));
      bytes += static_cast<int64_t>(row.key.size() + row.value.size());
    }
    const std::vector<PartitionOffset> positions = {{{"topic", 0}, static_cast<int64_t>(sent)}};
    Must(producer->Commit(positions, *consumer));
    return bytes;
  }

  TempDir dir;
  std::vector<Row> rows;
  std::unique_ptr<Log> log;
  std::unique_ptr<Consumer> consumer;
  std::unique_ptr<Producer> producer;
  size_t sent = 0;
};

// Sending and committing; in a compacted topic with the compaction in the background, whose time is not the
// caller's: compare real time, and the process's.
void BM_LogProduce(benchmark::State& state) {
  Bench bench(state.range(0) != 0);
  int64_t bytes = 0;
  for (auto _ : state)
    bytes += bench.Transaction();
  state.SetItemsProcessed(static_cast<int64_t>(bench.sent));
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_LogProduce)->ArgName("compacted")->Arg(0)->Arg(1)->MeasureProcessCPUTime()->UseRealTime();

// A partition after the other, from the beginning to the end.
void BM_LogRead(benchmark::State& state) {
  Bench bench(false);
  for (int i = 0; i < 50; ++i)
    bench.Transaction();
  int64_t records = 0;
  int64_t bytes = 0;
  for (auto _ : state) {
    const std::unique_ptr<Consumer> consumer = Must(bench.log->OpenConsumer({}));
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      PartitionReader* reader = Must(consumer->Assign({"topic", partition}, 0));
      while (const RecordView* record = Must(reader->Next())) {
        ++records;
        bytes += static_cast<int64_t>(record->key->size() + record->value->size());
      }
    }
  }
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_LogRead)->Unit(benchmark::kMillisecond);

// One record at a time, as it comes: what a transaction costs that holds hardly anything.
void BM_LogFollow(benchmark::State& state) {
  Bench bench(false);
  const std::unique_ptr<Consumer> consumer = Must(bench.log->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  const std::unique_ptr<Producer> plain = Must(bench.log->OpenProducer({}));
  OutgoingRecord record;
  record.topic = "topic";
  record.value = bench.rows[0].value;
  for (auto _ : state) {
    Must(plain->Send(record));
    Must(plain->Flush(kSecond));
    if (Must(reader->Next()) == nullptr || Must(reader->Next()) != nullptr) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_LogFollow);

// What a reader beside a writer pays for a look that finds nothing new, in a log of many partitions.
void BM_LogLookInVain(benchmark::State& state) {
  const TempDir dir;
  const std::unique_ptr<Log> writer = Must(OpenLocalLog(dir.File("log"), {}));
  TopicSettings many;
  many.partitions = 10'000;
  Must(writer->Create("large", many));
  LocalLogOptions options;
  options.read_only = true;
  const std::unique_ptr<Log> reader = Must(OpenLocalLog(dir.File("log"), options));
  const std::unique_ptr<Consumer> consumer = Must(reader->OpenConsumer({}));
  for ([[maybe_unused]] auto _ : state)
    Must(consumer->Poll(0));
}
BENCHMARK(BM_LogLookInVain);

}  // namespace
}  // namespace freshet
